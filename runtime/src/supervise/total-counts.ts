import type { InstanceSnapshot } from "../instance/counters.ts";

/** Of an instance that did nothing yet. */
export const noCounts: InstanceSnapshot = {
  received: 0,
  written: 0,
  duplicates: 0,
  failed: 0,
  skipped: 0,
  deadLettered: 0,
  abandoned: 0,
  inFlight: 0,
  inFlightBytes: 0,
  writtenBytes: 0,
  lastReceivedTime: 0,
  lastWrittenTime: 0,
  systemExceptions: 0,
  sourceExceptions: 0,
  lagMs: undefined,
};

/** What two did together: two starts of an instance, or two instances. The lag is the larger one. */
export function totalCounts(one: InstanceSnapshot, other: InstanceSnapshot): InstanceSnapshot {
  const lags = [one.lagMs, other.lagMs].filter((lag) => lag !== undefined);
  return {
    received: one.received + other.received,
    written: one.written + other.written,
    duplicates: one.duplicates + other.duplicates,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
    deadLettered: one.deadLettered + other.deadLettered,
    abandoned: one.abandoned + other.abandoned,
    inFlight: one.inFlight + other.inFlight,
    inFlightBytes: one.inFlightBytes + other.inFlightBytes,
    writtenBytes: one.writtenBytes + other.writtenBytes,
    lastReceivedTime: Math.max(one.lastReceivedTime, other.lastReceivedTime),
    lastWrittenTime: Math.max(one.lastWrittenTime, other.lastWrittenTime),
    systemExceptions: one.systemExceptions + other.systemExceptions,
    sourceExceptions: one.sourceExceptions + other.sourceExceptions,
    lagMs: lags.length === 0 ? undefined : Math.max(...lags),
  };
}
