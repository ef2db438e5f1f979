import { type Clock, isRetryable, type Logger, type Outage } from "@pulsar-ts-io/core";
import type { ShardId } from "../shard/shard.ts";
import type { Lease } from "./lease.ts";
import { isOurs, leasesToSteal, type ShareView } from "./lease-share.ts";
import type { TakingRestraint } from "./lease-sightings.ts";
import type { LeaseTable } from "./lease-table.ts";

/** Three of KCL's take intervals: a lease that a worker of another kind took from us is not taken back before. */
const barredMs = 60_150;
/**
 * Two of our scans, for one that ours were handed. Several that begin at one moment may ask the same worker for all it has: then it
 * asks for its share again as soon as it sees what they have.
 */
const barredFromOursMs = 5_000;
/** Between looks at the leases that others are handing to us. */
const lookMs = 500;
/** A hand-off takes 25 s at most, and is noticed within a renewal. */
const handOffMs = 30_000;

/** What the table is asked for, all leases together. */
type Round = "request" | "look";

export interface LeaseBalancerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly outage: Outage;
  readonly workerId: string;
  readonly restraint: TakingRestraint;
}

/**
 * Evens out how many leases the living workers have: asks workers of this package to hand theirs over, which repeats nothing,
 * and takes those of Java workers, who do the same to us.
 */
export class LeaseBalancer {
  readonly #table: LeaseTable;
  readonly #options: LeaseBalancerOptions;
  readonly #gaveUpMs = new Map<ShardId, number>();
  readonly #askedUntilMs = new Map<ShardId, number>();
  /** Calls that failed so far. */
  #failures = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(table: LeaseTable, options: LeaseBalancerOptions) {
    this.#table = table;
    this.#options = options;
  }

  /** When {@link look} is due, monotonic milliseconds. */
  get lookFromMs(): number {
    return this.#askedUntilMs.size === 0 ? Number.POSITIVE_INFINITY : this.#lookedMs + lookMs;
  }

  /** Leases that were asked for and are not known to have come. */
  get asked(): readonly ShardId[] {
    return [...this.#askedUntilMs.keys()];
  }

  /** Notes that another worker has or is given a lease of ours. */
  gaveUp(id: ShardId): void {
    this.#gaveUpMs.set(id, this.#options.clock.monotonic());
  }

  /**
   * Moves as many leases here as it takes to even out.
   *
   * @param writes cuts short a request that is under way; `signal` lets it end, or a lease could be kept for us without our knowing.
   * @returns those of Java workers, as they are now: to be taken.
   */
  async balance(view: ShareView, signal: AbortSignal, writes: AbortSignal): Promise<readonly Lease[]> {
    if (!this.#options.restraint.maySteal) return [];
    this.#forgetOld(view.nowMs);
    const isBarred = (lease: Lease) =>
      this.#askedUntilMs.has(lease.shardId) ||
      view.nowMs - (this.#gaveUpMs.get(lease.shardId) ?? -Infinity) <
        (isOurs(lease) ? barredFromOursMs : barredMs);
    const steals = leasesToSteal(view, isBarred);
    const failures = this.#failures;
    const found = await Promise.all(steals.map(({ lease }) => this.#ask(lease, signal, writes)));
    // What failed before was answered now, or is not wanted any more.
    if (failures === this.#failures) this.#options.outage.recovered("request");
    return found.flatMap((lease) => lease ?? []);
  }

  /** Leases that were asked for, as they are now. */
  async look(signal: AbortSignal): Promise<readonly Lease[]> {
    this.#lookedMs = this.#options.clock.monotonic();
    this.#forgetOld(this.#lookedMs);
    const failures = this.#failures;
    const rows = await Promise.all([...this.#askedUntilMs.keys()].map((id) => this.#get(id, "look", signal)));
    if (failures === this.#failures) this.#options.outage.recovered("look");
    const leases = rows.flatMap((lease) => lease ?? []);
    for (const { shardId, owner, checkpointOwner } of leases) {
      if (owner !== this.#options.workerId || checkpointOwner === undefined)
        this.#askedUntilMs.delete(shardId);
    }
    return leases;
  }

  /** @returns the lease when it is to be taken from its owner, who cannot be asked. */
  async #ask(lease: Lease, signal: AbortSignal, writes: AbortSignal): Promise<Lease | undefined> {
    const { clock, logger, workerId } = this.#options;
    const { shardId, owner } = lease;
    if (!isOurs(lease)) {
      // What the scan saw of a living worker's lease is a renewal old, perhaps.
      const current = await this.#get(shardId, "request", signal);
      if (current === undefined || current.owner !== owner || current.checkpointOwner !== undefined)
        return undefined;
      // A lease that was handed over and not taken yet looks like Java's. Once one of ours has taken it, that one can be asked.
      return isOurs(current) ? undefined : current;
    }
    const outcome = await this.#table.requestHandOff(lease, workerId, writes);
    if (outcome.kind === "failed") {
      if (!isRetryable(outcome.error)) throw outcome.error;
      this.#failed("request", outcome.error);
      if (!outcome.mayHaveLanded) return undefined;
    }
    // Unless an earlier try of this request, whose answer was lost, is what it was refused for.
    if (outcome.kind === "refused" && outcome.current?.owner !== workerId) return undefined;
    this.#askedUntilMs.set(shardId, clock.monotonic() + handOffMs);
    logger.info({ shardId, from: owner }, "lease asked for");
    return undefined;
  }

  async #get(id: ShardId, why: Round, signal: AbortSignal): Promise<Lease | undefined> {
    try {
      return await this.#table.get(id, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isRetryable(error)) throw error;
      this.#failed(why, error);
      return undefined;
    }
  }

  #failed(round: Round, error: unknown): void {
    this.#failures += 1;
    this.#options.outage.failed(round, error);
  }

  #forgetOld(nowMs: number): void {
    for (const [id, sinceMs] of this.#gaveUpMs) if (nowMs - sinceMs >= barredMs) this.#gaveUpMs.delete(id);
    for (const [id, untilMs] of this.#askedUntilMs) if (untilMs <= nowMs) this.#askedUntilMs.delete(id);
    if (this.#askedUntilMs.size === 0) this.#options.outage.left("look");
  }
}
