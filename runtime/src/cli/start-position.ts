import type { StartPosition } from "@pulsar-ts-io/core";
import { UsageError } from "./usage-error.ts";

/** The names of positions, as configs of Pulsar's connectors spell them. */
export const positionNames = ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"] as const;

export interface StartPositionFlags {
  readonly to: (typeof positionNames)[number];
  readonly at?: string | undefined;
}

/** @throws UsageError (`PIO_USAGE`) when the time is missing, out of place, or none. */
export function parseStartPosition({ to, at }: StartPositionFlags): StartPosition {
  if (to !== "AT_TIMESTAMP") {
    if (at === undefined) return to === "LATEST" ? { kind: "latest" } : { kind: "trim-horizon" };
    throw new UsageError(`--at has no meaning with --to ${to}`, { remedy: "use --to AT_TIMESTAMP" });
  }
  const epochMs = parseTime(at ?? "");
  if (epochMs !== undefined) return { kind: "at-timestamp", epochMs };
  throw new UsageError(
    at === undefined ? "--to AT_TIMESTAMP needs a time" : `--at ${at} is no point in time`,
    { remedy: "add one such as --at 2026-03-05T19:28:58Z" },
  );
}

/** With a zone, so that it means the same on every machine; or milliseconds since 1970. */
function parseTime(text: string): number | undefined {
  if (/^\d{11,14}$/.test(text)) return Number(text);
  if (!/^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})$/.test(text)) return undefined;
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : epochMs;
}
