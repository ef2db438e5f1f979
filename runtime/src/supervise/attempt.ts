import type { PartitionStatus, Trouble } from "@pulsar-ts-io/core";
import type { InstanceSnapshot } from "../instance/counters.ts";
import type { InstanceErrors } from "../instance/recent-errors.ts";
import type { MetricFamily } from "./instance-report.ts";

/** What is seen of one start of an instance: plain data, for it travels between processes. */
export interface AttemptView {
  /** Whether its source has been opened. */
  readonly opened: boolean;
  /** Whether something of it may go on after its end: nothing may be started beside it. */
  readonly lingering: boolean;
  readonly draining: boolean;
  readonly counts: InstanceSnapshot;
  readonly errors: InstanceErrors;
  readonly partitions: readonly PartitionStatus[];
  /** What fails and is retried now, the oldest first. */
  readonly troubles: readonly Trouble[];
  /** Why nothing moves although there is something to move. */
  readonly stalled: string | undefined;
  /** Since when, epoch milliseconds. */
  readonly stalledSinceMs?: number | undefined;
}

/** One start of an instance: in this process, or in one of its own. */
export interface Attempt {
  /**
   * Runs until `signal` aborts, then drains. Returning means it was told to stop. Once only.
   *
   * @throws InstanceFailedError, after the same drain.
   */
  run(signal: AbortSignal): Promise<void>;
  view(): AttemptView;
  /** What its parts measured. Where it runs in another process, {@link view} is as new as this afterwards. */
  metrics(): Promise<readonly MetricFamily[]>;
}
