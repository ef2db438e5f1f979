import type { Trouble } from "@pulsar-ts-io/core";
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

/** Something that blocks every record, but for `changes`. */
export function trouble(changes: Partial<Trouble> = {}): Trouble {
  return {
    what: "broker connection",
    sinceMs: 0,
    lastMs: 0,
    failures: 1,
    affected: 1,
    code: "PIO_PULSAR_UNREACHABLE",
    message: "the broker refused the connection",
    remedy: "start the broker",
    blocking: true,
    ...changes,
  };
}
