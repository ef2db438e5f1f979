import type { Lease } from "../lease/lease.ts";
import type { LeaseChange, LeaseTable, WriteOutcome } from "../lease/lease-table.ts";
import type { ConsumerMetrics } from "./consumer-metrics.ts";
import { ForwardingLeaseTable } from "./forwarding-lease-table.ts";
import type { MetricScope } from "./metric-scope.ts";

/**
 * A lease table whose renewals and checkpoints are measured under KCL's names.
 *
 * A renewal that stores a checkpoint is both of KCL's: a RenewLease of the worker and an UpdateLease of the shard.
 */
export class MeasuredLeaseTable extends ForwardingLeaseTable {
  readonly #metrics: ConsumerMetrics;
  readonly #renewals: MetricScope;

  constructor(table: LeaseTable, metrics: ConsumerMetrics) {
    super(table);
    this.#metrics = metrics;
    this.#renewals = metrics.ofWorker("RenewAllLeases");
  }

  override write(lease: Lease, change: LeaseChange, signal: AbortSignal): Promise<WriteOutcome> {
    const { checkpoint, release } = change;
    let write = () => super.write(lease, change, signal);
    if (checkpoint !== undefined) {
      const operation = checkpoint.kind === "shard-end" ? "ShutdownTask" : "ProcessTask";
      const scope = this.#metrics.ofShard(operation, lease.shardId);
      const update = write;
      write = () => scope.measure("UpdateLease", "DETAILED", update, wasAnswered);
    }
    // KCL does not measure a release.
    if (release === true) return write();
    return this.#renewals.measure("RenewLease", "DETAILED", write, wasAnswered);
  }
}

/** A refusal is an answer: in KCL, too, a lost lease is no failed call. */
export function wasAnswered(outcome: WriteOutcome): boolean {
  return outcome.kind !== "failed";
}
