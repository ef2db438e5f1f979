import { byTier } from "../harness/tier.ts";
import type { KclVersion } from "./java-worker.ts";

export interface Release {
  readonly name: string;
  readonly kcl: KclVersion;
  /** A ClientVersionConfig of KCL 3. */
  readonly clientVersion?: string;
}

const clientVersion = "CLIENT_VERSION_CONFIG_COMPATIBLE_WITH_2X";

/** How long a fetch from Maven Central may take, milliseconds. */
export const fetchMs = 300_000;

/** Those that share the leases out as KCL 2 does. In its first phase KCL 3.5 writes no row of another kind. */
export const releases: readonly Release[] = byTier({
  quick: [{ name: "2.6.0", kcl: "2.6.0" }],
  long: [
    { name: "2.6.0", kcl: "2.6.0" },
    { name: "3.1.2 in 2.x mode", kcl: "3.1.2", clientVersion },
    { name: "3.5.1 in its first phase", kcl: "3.5.1", clientVersion: `${clientVersion}_PHASE1` },
    { name: "3.5.1 in 2.x mode", kcl: "3.5.1", clientVersion },
  ],
});

/** As KCL 3 is without that: its leader hands the leases out. */
export const nativeReleases: readonly Release[] = [
  { name: "3.1.2, native", kcl: "3.1.2" },
  { name: "3.5.1, native", kcl: "3.5.1" },
];
