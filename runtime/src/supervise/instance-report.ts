import type { PartitionStatus, Trouble } from "@pulsar-ts-io/core";
import type { InstanceSnapshot } from "../instance/counters.ts";

/** Where an instance is in its life. `restarting`: it failed, and waits for its next start. `failed`: there will be none. */
export type InstanceState = "starting" | "running" | "draining" | "restarting" | "failed" | "stopped";

/** One failure that is remembered. */
export interface RecentError {
  /** `[name of the error]: message`, as Pulsar's status shows it; secrets masked. */
  readonly message: string;
  /** Epoch milliseconds. */
  readonly atMs: number;
}

/** One sample of a metric. */
export interface MetricSample {
  /** Absent: the family's own name. */
  readonly metricName?: string | undefined;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** One metric with its samples: plain data, for it travels between processes. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram" | "summary";
  readonly samples: readonly MetricSample[];
}

/** All there is to say about one instance at one moment: plain data, for it travels between processes. */
export interface InstanceReport {
  /** 0-based. */
  readonly instanceId: number;
  readonly state: InstanceState;
  /** Why it does not run; empty while it does. */
  readonly error: string;
  /** Starts after the first. */
  readonly restarts: number;
  /** Over all its starts. */
  readonly counts: InstanceSnapshot;
  /** Why nothing moves although there is something to move; `undefined` while it does, or while there is nothing. */
  readonly stalled: string | undefined;
  /** The last ten, newest last, over all its starts. */
  readonly systemErrors: readonly RecentError[];
  /** The last ten of the source's own, newest last, over all its starts. */
  readonly sourceErrors: readonly RecentError[];
  readonly partitions: readonly PartitionStatus[];
  /** What fails and is retried now, the oldest first; secrets masked. */
  readonly troubles: readonly Trouble[];
  readonly metrics: readonly MetricFamily[];
}

/** The instances of one source, as those who watch them see them. */
export interface WatchedSource {
  /** Their reports, by instance id; one that does not answer in time is reported as it was seen last. */
  reports(): Promise<readonly InstanceReport[]>;
}
