import type { InstanceReport } from "../../src/supervise/instance-report.ts";

/** The report of an instance that has just begun to run, but for `changes`. */
export function report(
  changes: Omit<Partial<InstanceReport>, "counts"> & {
    readonly counts?: Partial<InstanceReport["counts"]>;
  } = {},
): InstanceReport {
  return {
    instanceId: 0,
    state: "running",
    error: "",
    restarts: 0,
    stalled: undefined,
    systemErrors: [],
    sourceErrors: [],
    partitions: [],
    metrics: [],
    ...changes,
    counts: {
      received: 0,
      written: 0,
      duplicates: 0,
      failed: 0,
      skipped: 0,
      deadLettered: 0,
      inFlight: 0,
      inFlightBytes: 0,
      writtenBytes: 0,
      lastReceivedTime: 0,
      lastWrittenTime: 0,
      systemExceptions: 0,
      sourceExceptions: 0,
      lagMs: undefined,
      ...changes.counts,
    },
  };
}
