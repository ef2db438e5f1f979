import { byTier } from "../harness/tier.ts";
import type { KclVersion } from "./java-worker.ts";

interface Release {
  readonly kcl: KclVersion;
  /** A ClientVersionConfig of KCL 3. */
  readonly clientVersion?: string;
}

const clientVersion = "CLIENT_VERSION_CONFIG_COMPATIBLE_WITH_2X";

/** Those that share the leases out as KCL 2 does. */
export const releases: readonly Release[] = byTier({
  quick: [{ kcl: "2.6.0" }],
  long: [{ kcl: "2.6.0" }, { kcl: "3.1.2", clientVersion }, { kcl: "3.5.1", clientVersion }],
});
