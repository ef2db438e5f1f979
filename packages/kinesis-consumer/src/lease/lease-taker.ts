import { type Clock, isRetryable, type Logger, type Outage } from "@pulsar-ts-io/core";
import type { ShardId } from "../shard/shard.ts";
import { sleepUntilWoken, WakeUp } from "../wake-up.ts";
import { CallPool } from "./call-pool.ts";
import { type Lease, readerOf, type StreamStamp } from "./lease.ts";
import { LeaseBalancer } from "./lease-balancer.ts";
import { chosenWorker, leasesNeeded, loadsOf, ourWorkers, type ShareView } from "./lease-share.ts";
import { LeaseSightings, type LeaseSightingsOptions, type Takeable } from "./lease-sightings.ts";
import type { LeaseTable } from "./lease-table.ts";
import { withdraw } from "./lease-withdrawal.ts";

/** A lease is taken so much later at most than it would be by one who sees each renewal at once: with the jitter 3 s. */
const scanMs = 2_500;
/**
 * With more leases scans come as much more seldom: 2 000 leases a second are read at most, for 125 read units and a sixteenth of a core.
 * At any size one worker's scans cost a sixtieth of the renewals of the same table: a write unit costs as much as five to read.
 */
const largeTable = 5_000;
/** KCL's take interval. */
const longestScanMs = 20_000;
/** After a take that failed for a reason that may pass. */
const restMs = 1_000;
/** How long a lease is left to the others that could not be read here. */
const leftForMs = 60_000;
/** How long a lease is left to the worker whose share it is; then it is anyone's. */
const leftToOthersMs = 2_000;

/** What the taker needs of the worker it takes leases for. */
export interface LeaseTakerHost {
  isHeld(id: ShardId): boolean;
  /** A lease is this worker's now. `takenMs`: when the write that took it was sent, monotonic. */
  taken(lease: Lease, takenMs: number): void;
  /** Waits while the renewals of what is held are short of time. */
  standBack(signal: AbortSignal): Promise<void>;
  /** Where a lease at LATEST that has no start time yet is opened, milliseconds since the epoch. */
  latestMs(): number;
}

export interface LeaseTakerOptions extends LeaseSightingsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly outage: Outage;
  readonly stamp: StreamStamp;
}

/**
 * Watches the lease table and takes what is nobody's, what has expired, what a predecessor left, and this worker's share of
 * what the others have.
 */
export class LeaseTaker {
  readonly #table: LeaseTable;
  readonly #host: LeaseTakerHost;
  readonly #options: LeaseTakerOptions;
  readonly #sightings: LeaseSightings;
  readonly #balancer: LeaseBalancer;
  readonly #takes: CallPool;
  readonly #nudged = new WakeUp();
  readonly #leftUntilMs = new Map<ShardId, number>();
  /** Leases that a take may have got whose answer was lost. */
  readonly #doubtful = new Set<ShardId>();
  #scanDue = true;
  /** After a failed take: monotonic milliseconds before which none is tried. */
  #restUntilMs = Number.NEGATIVE_INFINITY;

  constructor(table: LeaseTable, host: LeaseTakerHost, options: LeaseTakerOptions) {
    this.#table = table;
    this.#host = host;
    this.#options = options;
    this.#sightings = new LeaseSightings(options);
    this.#balancer = new LeaseBalancer(table, options);
    const standBack = (signal: AbortSignal) => host.standBack(signal);
    this.#takes = new CallPool({ clock: options.clock, standBack });
  }

  /** Starts from a scan that someone else made. @param scannedMs when it had returned, monotonic. */
  scanned(leases: readonly Lease[], scannedMs: number): void {
    this.#sightings.scanned(leases, scannedMs);
    this.#scanDue = false;
    this.#nudged.wake();
  }

  /** Shows a lease that was just created: it is taken without waiting for the next scan. */
  created(lease: Lease): void {
    this.#sightings.saw(lease, this.#options.clock.monotonic());
    this.#nudged.wake();
  }

  /** Notes that a lease of this worker is another's now, or soon. */
  gaveUp(id: ShardId): void {
    this.#balancer.gaveUp(id);
  }

  /** Leaves a lease that was given up to the others for a minute. */
  leave(id: ShardId): void {
    this.#leftUntilMs.set(id, this.#options.clock.monotonic() + leftForMs);
  }

  /**
   * Takes leases until `signal` aborts. Failures of the table that may heal do not end it.
   *
   * @param writes cuts short a take that is under way. `signal` only prevents further takes: a lease could be ours without our knowing.
   */
  async run(signal: AbortSignal, writes: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    let scannedMs = clock.monotonic();
    for (;;) {
      const scan = this.#scanDue;
      if (scan) {
        await this.#scan(signal);
        scannedMs = clock.monotonic();
      } else if (clock.monotonic() >= this.#balancer.lookFromMs) {
        this.#sawAll(await this.#balancer.look(signal));
      }
      const settled = await this.#takeWhatIsDue(signal, writes);
      signal.throwIfAborted();
      if (scan && settled) await this.#balance(signal, writes);
      await sleepUntilWoken(clock, this.#nextWakeMs(scannedMs) - clock.monotonic(), this.#nudged, signal);
      this.#scanDue ||= clock.monotonic() >= scannedMs + this.#scanEveryMs();
    }
  }

  /** Lets go of every lease that names this worker and is not held. Once {@link run} has ended, or it would ask anew. */
  async withdraw(signal: AbortSignal): Promise<void> {
    const { workerId } = this.#options;
    const named = this.#sightings.leases.filter(({ lease }) => lease.owner === workerId);
    const ids = [...this.#balancer.asked, ...this.#doubtful, ...named.map(({ lease }) => lease.shardId)];
    const free = [...new Set(ids)].filter((id) => !this.#host.isHeld(id));
    await withdraw(this.#table, free, this.#options, signal);
  }

  #scanEveryMs(): number {
    const times = Math.max(1, this.#sightings.leases.length / largeTable);
    return Math.min(scanMs * times, longestScanMs);
  }

  #nextWakeMs(scannedMs: number): number {
    const now = this.#options.clock.monotonic();
    const [due, later] = this.#takeable(now);
    // Whose share a lease is depends on who lives when it may be taken: that is looked at then.
    const takeMs = Math.max(
      this.#restUntilMs,
      Math.min(...[...this.#shared(due), ...later].map((one) => one.fromMs)),
    );
    return Math.min(scannedMs + this.#scanEveryMs(), takeMs, this.#balancer.lookFromMs);
  }

  /** What may be taken now, the earliest first, and what may be later. */
  #takeable(nowMs: number): readonly [due: readonly Takeable[], later: readonly Takeable[]] {
    for (const [id, untilMs] of this.#leftUntilMs) if (untilMs <= nowMs) this.#leftUntilMs.delete(id);
    const all = this.#sightings
      .takeable((id) => this.#host.isHeld(id))
      .map(({ lease, fromMs }) => ({
        lease,
        fromMs: Math.max(fromMs, this.#leftUntilMs.get(lease.shardId) ?? fromMs),
      }));
    const due = all.filter((one) => one.fromMs <= nowMs).sort((a, b) => a.fromMs - b.fromMs);
    return [due, all.filter((one) => one.fromMs > nowMs)];
  }

  #view(): ShareView {
    const { clock, workerId, failoverMs } = this.#options;
    const isHeld = (id: ShardId) => this.#host.isHeld(id);
    return { workerId, failoverMs, isHeld, leases: this.#sightings.leases, nowMs: clock.monotonic() };
  }

  /**
   * The same leases, some of them later: beside other workers this one takes its share at once, and what is left then after 2 s,
   * so that nothing waits for a worker that does not take it. What a dead worker had falls to each of ours by its key, at once and
   * whoever has how many: it has waited long enough, and is evened out then.
   */
  #shared(takeable: readonly Takeable[]): readonly Takeable[] {
    const view = this.#view();
    const loads = loadsOf(view);
    if (loads.size === 1) return takeable;
    const { workerId } = this.#options;
    const workers = [...ourWorkers(view)];
    // Not to its owner: the rest of his leases may not have expired yet.
    const falls = ({ lease: { shardId, owner } }: Takeable) =>
      owner === undefined ||
      chosenWorker(
        shardId,
        workers.filter((worker) => worker !== owner),
      ) === workerId;
    let needed = leasesNeeded(view, loads);
    return takeable.map((one) => {
      if (readerOf(one.lease) === workerId) return one;
      const mine = falls(one);
      needed -= mine ? 1 : 0;
      return mine && (needed >= 0 || one.lease.owner !== undefined)
        ? one
        : { ...one, fromMs: one.fromMs + leftToOthersMs };
    });
  }

  async #balance(signal: AbortSignal, writes: AbortSignal): Promise<void> {
    const steals = await this.#balancer.balance(this.#view(), signal, writes);
    await this.#takeAll(steals, signal, writes);
  }

  #sawAll(leases: readonly Lease[]): void {
    const nowMs = this.#options.clock.monotonic();
    for (const lease of leases) this.#sightings.saw(lease, nowMs);
  }

  async #scan(signal: AbortSignal): Promise<void> {
    const { outage, clock } = this.#options;
    this.#scanDue = false;
    await this.#host.standBack(signal);
    try {
      const leases = await this.#table.list({ consistent: false }, signal);
      this.#sightings.scanned(leases, clock.monotonic());
      outage.recovered("scan");
    } catch (error) {
      signal.throwIfAborted();
      if (!isRetryable(error)) throw error;
      outage.failed("scan", error);
    }
  }

  /** @returns whether none was left to be taken, now or by the others. */
  async #takeWhatIsDue(signal: AbortSignal, writes: AbortSignal): Promise<boolean> {
    const now = this.#options.clock.monotonic();
    if (now < this.#restUntilMs) return false;
    const [available] = this.#takeable(now);
    const mine = this.#shared(available).filter((one) => one.fromMs <= now);
    await this.#takeAll(
      mine.map((one) => one.lease),
      signal,
      writes,
    );
    // What failed before was answered now, or is not wanted any more.
    if (this.#restUntilMs <= now) this.#options.outage.recovered("take");
    return available.length === 0;
  }

  async #takeAll(leases: readonly Lease[], signal: AbortSignal, writes: AbortSignal): Promise<void> {
    await this.#takes.each(leases, (lease) => this.#take(lease, writes), signal);
  }

  async #take(lease: Lease, signal: AbortSignal): Promise<void> {
    const { clock, logger, outage, workerId, stamp } = this.#options;
    const { shardId } = lease;
    const startTimeMs = lease.checkpoint.kind === "latest" ? this.#host.latestMs() : undefined;
    const takenMs = clock.monotonic();
    // A hand-off away from us that was cut short when we gave the lease up: the next worker waits for its end.
    const handOff = lease.checkpointOwner === workerId && lease.owner !== workerId;
    const outcome = handOff
      ? await this.#table.write(lease, { release: true }, signal)
      : await this.#table.take(lease, workerId, { stamp, startTimeMs, sinceMs: clock.now() }, signal);
    const seenMs = clock.monotonic();
    this.#doubtful.delete(shardId);
    switch (outcome.kind) {
      case "written":
        this.#sightings.saw(outcome.lease, seenMs);
        if (handOff) return;
        logger.info({ shardId, from: lease.owner ?? null }, "lease taken");
        this.#host.taken(outcome.lease, takenMs);
        return;
      case "refused":
        // Taken after all, by a try whose answer was lost: the id is nobody else's, and it is seen as ours the next time.
        if (outcome.current === undefined) this.#sightings.gone(shardId);
        else this.#sightings.saw(outcome.current, seenMs);
        return;
      case "failed":
        if (!isRetryable(outcome.error)) throw outcome.error;
        outage.failed("take", outcome.error);
        if (outcome.mayHaveLanded) this.#doubtful.add(shardId);
        this.#restUntilMs = seenMs + restMs;
        return;
      default:
        outcome satisfies never;
    }
  }
}
