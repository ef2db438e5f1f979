import type { InstanceReport } from "../../src/supervise/instance-report.ts";
import { noCounts } from "../../src/supervise/total-counts.ts";

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
    troubles: [],
    metrics: [],
    ...changes,
    counts: {
      ...noCounts,
      ...changes.counts,
    },
  };
}
