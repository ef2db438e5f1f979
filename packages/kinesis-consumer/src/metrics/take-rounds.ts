import type { Clock } from "@pulsar-ts-io/core";
import type { Lease } from "../lease/lease.ts";
import type { LeaseTable, TakeOptions, WriteOutcome } from "../lease/lease-table.ts";
import type { ShardId } from "../shard/shard.ts";
import type { ConsumerMetrics } from "./consumer-metrics.ts";
import { ForwardingLeaseTable } from "./forwarding-lease-table.ts";
import type { MetricScope } from "./metric-scope.ts";
import { wasAnswered } from "./renew-rounds.ts";

export interface TakeRoundsOptions {
  readonly clock: Clock;
  readonly workerId: string;
  readonly failoverMs: number;
}

/**
 * The lease table as the one who takes leases sees it, with KCL's picture of each of his rounds: from one scan to the next.
 *
 * @see DynamoDBLeaseTaker in KCL
 */
export class TakeRounds extends ForwardingLeaseTable {
  readonly #options: TakeRoundsOptions;
  readonly #scope: MetricScope;
  /** Since when each lease is as it is, by this machine's monotonic clock. */
  #seen = new Map<ShardId, { readonly mark: string; readonly sinceMs: number }>();
  #taken = 0;
  #untaken = 0;

  constructor(table: LeaseTable, metrics: ConsumerMetrics, options: TakeRoundsOptions) {
    super(table);
    this.#scope = metrics.ofWorker("TakeLeases");
    this.#options = options;
  }

  override async list(
    options: { readonly consistent: boolean },
    signal: AbortSignal,
  ): Promise<readonly Lease[]> {
    this.#tellTaken();
    const leases = await this.#scope.measure("", "SUMMARY", () =>
      this.#scope.measure("ListLeases", "DETAILED", () => super.list(options, signal)),
    );
    this.#tellSeen(leases);
    return leases;
  }

  override async take(
    lease: Lease,
    worker: string,
    options: TakeOptions,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const take = () => super.take(lease, worker, options, signal);
    const outcome = await this.#scope.measure("TakeLease", "DETAILED", take, wasAnswered);
    if (outcome.kind === "written") this.#taken += 1;
    else this.#untaken += 1;
    return outcome;
  }

  #tellTaken(): void {
    this.#scope.add("LeasesToTake", this.#taken + this.#untaken, "Count", "DETAILED");
    this.#scope.add("TakenLeases", this.#taken, "Count", "SUMMARY");
    this.#scope.add("UntakenLeases", this.#untaken, "Count", "SUMMARY");
    this.#taken = 0;
    this.#untaken = 0;
  }

  #tellSeen(leases: readonly Lease[]): void {
    const { workerId } = this.#options;
    const expired = this.#expired(leases);
    const owners = new Set([workerId]);
    let mine = 0;
    for (const lease of leases) {
      if (lease.owner === undefined || expired.has(lease.shardId)) continue;
      owners.add(lease.owner);
      if (lease.owner === workerId) mine += 1;
    }
    const share = Math.ceil(leases.length / owners.size);
    this.#scope.add("TotalLeases", leases.length, "Count", "DETAILED");
    this.#scope.add("NumWorkers", owners.size, "Count", "SUMMARY");
    this.#scope.add("ExpiredLeases", expired.size, "Count", "SUMMARY");
    this.#scope.add("NeededLeases", Math.max(0, share - mine), "Count", "DETAILED");
  }

  /** Nobody's, and those that did not change for as long as a lease lasts. */
  #expired(leases: readonly Lease[]): ReadonlySet<ShardId> {
    const now = this.#options.clock.monotonic();
    const before = this.#seen;
    this.#seen = new Map();
    const expired = new Set<ShardId>();
    for (const { shardId, owner, counter } of leases) {
      const mark = `${counter} ${owner ?? ""}`;
      const known = before.get(shardId);
      const sinceMs = known?.mark === mark ? known.sinceMs : now;
      this.#seen.set(shardId, { mark, sinceMs });
      if (owner === undefined || now - sinceMs >= this.#options.failoverMs) expired.add(shardId);
    }
    return expired;
  }
}
