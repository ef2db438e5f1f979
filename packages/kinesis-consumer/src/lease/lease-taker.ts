import { type Clock, isRetryable, type Logger } from "@pulsar-ts-io/core";
import type { OutageLog } from "../outage-log.ts";
import type { ShardId } from "../shard/shard.ts";
import { sleepUntilWoken, WakeUp } from "../wake-up.ts";
import type { Lease, StreamStamp } from "./lease.ts";
import { LeaseSightings, type LeaseSightingsOptions, type Takeable } from "./lease-sightings.ts";
import type { LeaseTable } from "./lease-table.ts";

const scanMs = 3_000;
/** A scan of so many leases costs as much as hundreds of renewals. */
const largeTable = 1_000;
const scanLargeMs = 20_000;
const takesAtOnce = 32;
/** After a take that failed for a reason that may pass. */
const restMs = 1_000;

/** What the taker needs of the worker it takes leases for. */
export interface LeaseTakerHost {
  isHeld(id: ShardId): boolean;
  /** A lease is this worker's now. `takenMs`: when the write that took it was sent, monotonic. */
  taken(lease: Lease, takenMs: number): void;
  /** Where a lease at LATEST that has no start time yet is opened, milliseconds since the epoch. */
  latestMs(): number;
}

export interface LeaseTakerOptions extends LeaseSightingsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly outage: OutageLog;
  readonly stamp: StreamStamp;
}

/**
 * Watches the lease table and takes what is nobody's, what has expired, and what a predecessor left.
 *
 * This is where leases are shared out among workers: {@link choose} decides which of the available ones are this worker's.
 */
export class LeaseTaker {
  readonly #table: LeaseTable;
  readonly #host: LeaseTakerHost;
  readonly #options: LeaseTakerOptions;
  readonly #sightings: LeaseSightings;
  readonly #nudged = new WakeUp();
  #scanDue = true;
  /** After a failed take: monotonic milliseconds before which none is tried. */
  #restUntilMs = Number.NEGATIVE_INFINITY;

  constructor(table: LeaseTable, host: LeaseTakerHost, options: LeaseTakerOptions) {
    this.#table = table;
    this.#host = host;
    this.#options = options;
    this.#sightings = new LeaseSightings(options);
  }

  /** All leases of the table as last seen. */
  get leases(): readonly Lease[] {
    return this.#sightings.leases;
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

  /**
   * Takes leases until `signal` aborts. Failures of the table that may heal do not end it.
   *
   * @param writes cuts short a take that is under way; `signal` lets it end, or a lease could be ours without our knowing.
   */
  async run(signal: AbortSignal, writes: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    let scannedMs = clock.monotonic();
    for (;;) {
      if (this.#scanDue) {
        await this.#scan(signal);
        scannedMs = clock.monotonic();
      }
      await this.#takeWhatIsDue(writes);
      signal.throwIfAborted();
      await sleepUntilWoken(clock, this.#nextWakeMs(scannedMs) - clock.monotonic(), this.#nudged, signal);
      this.#scanDue ||= clock.monotonic() >= scannedMs + this.#scanEveryMs();
    }
  }

  /** Which of the available leases this worker takes. One worker takes everything. */
  choose(available: readonly Lease[]): readonly Lease[] {
    return available;
  }

  #scanEveryMs(): number {
    return this.#sightings.leases.length > largeTable ? scanLargeMs : scanMs;
  }

  #nextWakeMs(scannedMs: number): number {
    const due = this.#takeable().map((one) => one.fromMs);
    const takeMs = Math.max(this.#restUntilMs, Math.min(...due));
    return Math.min(scannedMs + this.#scanEveryMs(), takeMs);
  }

  #takeable(): readonly Takeable[] {
    return this.#sightings.takeable((id) => this.#host.isHeld(id));
  }

  async #scan(signal: AbortSignal): Promise<void> {
    const { outage, clock } = this.#options;
    this.#scanDue = false;
    try {
      const leases = await this.#table.list({ consistent: false }, signal);
      this.#sightings.scanned(leases, clock.monotonic());
      outage.ended("scan");
    } catch (error) {
      signal.throwIfAborted();
      if (!isRetryable(error)) throw error;
      outage.began("scan", error);
    }
  }

  async #takeWhatIsDue(signal: AbortSignal): Promise<void> {
    const now = this.#options.clock.monotonic();
    if (now < this.#restUntilMs) return;
    const available = this.#takeable().filter((one) => one.fromMs <= now);
    const chosen = [...this.choose(available.map((one) => one.lease))];
    for (let from = 0; from < chosen.length; from += takesAtOnce) {
      await Promise.all(chosen.slice(from, from + takesAtOnce).map((lease) => this.#take(lease, signal)));
    }
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
      : await this.#table.take(lease, workerId, { stamp, startTimeMs }, signal);
    const seenMs = clock.monotonic();
    switch (outcome.kind) {
      case "written":
        outage.ended(`take ${shardId}`);
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
        outage.began(`take ${shardId}`, outcome.error);
        this.#restUntilMs = seenMs + restMs;
        return;
      default:
        outcome satisfies never;
    }
  }
}
