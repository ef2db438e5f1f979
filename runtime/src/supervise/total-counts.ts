import type { InstanceSnapshot } from "../instance/counters.ts";

/** What all starts of an instance did; what is a state rather than a count is that of the newest. */
export function totalCounts(before: InstanceSnapshot | undefined, now: InstanceSnapshot): InstanceSnapshot {
  if (before === undefined) return now;
  return {
    received: before.received + now.received,
    written: before.written + now.written,
    duplicates: before.duplicates + now.duplicates,
    failed: before.failed + now.failed,
    skipped: before.skipped + now.skipped,
    deadLettered: before.deadLettered + now.deadLettered,
    inFlight: now.inFlight,
    inFlightBytes: now.inFlightBytes,
    writtenBytes: before.writtenBytes + now.writtenBytes,
    lastReceivedTime: Math.max(before.lastReceivedTime, now.lastReceivedTime),
    lastWrittenTime: Math.max(before.lastWrittenTime, now.lastWrittenTime),
    systemExceptions: before.systemExceptions + now.systemExceptions,
    sourceExceptions: before.sourceExceptions + now.sourceExceptions,
    lagMs: now.lagMs,
  };
}
