import type { Clock } from "@pulsar-ts-io/core";
import type { Lease } from "../lease/lease.ts";
import { renewIntervalMs } from "../lease/lease-coordinator.ts";
import type { LeaseChange, LeaseTable, WriteOutcome } from "../lease/lease-table.ts";
import type { ConsumerMetrics } from "./consumer-metrics.ts";
import { ForwardingLeaseTable } from "./forwarding-lease-table.ts";
import type { MetricScope } from "./metric-scope.ts";

export interface RenewRoundsOptions {
  readonly clock: Clock;
  readonly failoverMs: number;
}

/**
 * The lease table as the one who renews sees it, with KCL's picture of rounds in which all leases are renewed side by side.
 *
 * Ours are renewed each at its own time: a round is the time in which each has its turn, it takes as long as the longest of its
 * writes, and succeeds unless one of them failed. A renewal that stores a checkpoint is both of KCL's, a RenewLease of the worker
 * and an UpdateLease of the shard.
 *
 * @see DynamoDBLeaseRenewer in KCL
 */
export class RenewRounds extends ForwardingLeaseTable {
  readonly #metrics: ConsumerMetrics;
  readonly #scope: MetricScope;
  readonly #options: RenewRoundsOptions;
  #lost = 0;
  #longestMs = 0;
  #success = true;

  constructor(table: LeaseTable, metrics: ConsumerMetrics, options: RenewRoundsOptions) {
    super(table);
    this.#metrics = metrics;
    this.#scope = metrics.ofWorker("RenewAllLeases");
    this.#options = options;
  }

  override async write(lease: Lease, change: LeaseChange, signal: AbortSignal): Promise<WriteOutcome> {
    const write = () => this.#update(lease, change, signal);
    // KCL does not measure a release.
    if (change.release === true) return await write();
    const startMs = this.#scope.nowMs();
    let success = false;
    try {
      const outcome = await this.#scope.measure("RenewLease", "DETAILED", write, wasAnswered);
      success = wasAnswered(outcome);
      return outcome;
    } finally {
      this.#longestMs = Math.max(this.#longestMs, this.#scope.nowMs() - startMs);
      this.#success &&= success;
    }
  }

  /** Notes that a lease was lost. */
  lost(): void {
    this.#lost += 1;
  }

  /** Counts until `signal` aborts. @param held how many leases are held now. */
  async run(held: () => number, signal: AbortSignal): Promise<void> {
    const { clock, failoverMs } = this.#options;
    for (;;) {
      await clock.sleep(renewIntervalMs(failoverMs), signal);
      this.#scope.add("CurrentLeases", held(), "Count", "SUMMARY");
      this.#scope.add("LostLeases", this.#lost, "Count", "SUMMARY");
      this.#scope.ended("", { ms: this.#longestMs, success: this.#success }, "SUMMARY");
      this.#lost = 0;
      this.#longestMs = 0;
      this.#success = true;
    }
  }

  #update(lease: Lease, change: LeaseChange, signal: AbortSignal): Promise<WriteOutcome> {
    const write = () => super.write(lease, change, signal);
    const { checkpoint } = change;
    if (checkpoint === undefined) return write();
    const operation = checkpoint.kind === "shard-end" ? "ShutdownTask" : "ProcessTask";
    const scope = this.#metrics.ofShard(operation, lease.shardId);
    return scope.measure("UpdateLease", "DETAILED", write, wasAnswered);
  }
}

/** A refusal is an answer: in KCL, too, a lost lease is no failed call. */
export function wasAnswered(outcome: WriteOutcome): boolean {
  return outcome.kind !== "failed";
}
