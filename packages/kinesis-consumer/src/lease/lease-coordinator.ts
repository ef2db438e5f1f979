import type { Clock, Counter, Gauge, Logger, Meter, Outage } from "@pulsar-ts-io/core";
import type { Checkpoint } from "../checkpoint.ts";
import { JobGroup } from "../job-group.ts";
import { JoinedSignal, unlessAborted, within } from "../joined-signal.ts";
import type { ShardId } from "../shard/shard.ts";
import { HeldLease, type HeldWrite } from "./held-lease.ts";
import type { Lease } from "./lease.ts";
import type { LeaseChange, LeaseTable } from "./lease-table.ts";
import type { Numbering } from "./numbering.ts";
import { RenewalLine } from "./renewal-line.ts";

/** KCL's allowance for the clocks and the network. */
const epsilonMs = 25;
const firstRetryMs = 200;
/** Between rounds of attempts while the table fails. */
const failedRoundMs = 1_000;
const shortestCheckpointMs = 50;
/** KCL's leader gives a lease away 30 s after it asked for the hand-off: the rest is for the host to let go, and for the last write. */
const settleMs = 20_000;

/** What a held lease has to store. */
export interface LeaseProgress {
  /** What may be stored, if it is past what was stored last. */
  unsaved(): UnsavedProgress | undefined;
  saved(checkpoint: Checkpoint): void;
  /** What is lately delivered, KiB a second; `undefined` where nobody asks for it. */
  throughputKBps(): number | undefined;
  /** Waits until all that was delivered is settled. */
  settled(signal: AbortSignal): Promise<void>;
  /** Makes the host let go of the shard, and hands out no more of it. Takes five seconds at most; does not reject. */
  letGo(): Promise<void>;
}

/** A checkpoint, and the number of the record at it where records are numbered. */
export interface UnsavedProgress {
  readonly checkpoint: Checkpoint;
  readonly numbering: Numbering | undefined;
}

export interface LeaseCoordinatorOptions {
  readonly clock: Clock;
  readonly meter: Meter;
  readonly outage: Outage;
  /** How long a lease lasts after its last write, milliseconds; the same for every worker of the table. */
  readonly failoverMs: number;
  /** Longest time between two checkpoints, milliseconds; a renewal carries one anyway. */
  readonly checkpointIntervalMs: number;
  /** Longest pause after a throttled write, milliseconds. */
  readonly backoffMs: number;
  /** Attempts of one checkpoint before its failure is reported; at least 1. */
  readonly checkpointAttempts: number;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** KCL's: a third of the lease, so that two renewals may fail before it is anyone's. */
export function renewIntervalMs(failoverMs: number): number {
  return Math.max(1, Math.floor(failoverMs / 3) - epsilonMs);
}

/**
 * Keeps this worker's leases alive and stores their progress, both in one write.
 *
 * It knows nothing of reading: a lease it holds says by its signal when the reading must stop.
 */
export class LeaseCoordinator {
  readonly #table: LeaseTable;
  readonly #logger: Logger;
  readonly #options: LeaseCoordinatorOptions;
  readonly #renewMs: number;
  readonly #line: RenewalLine;
  readonly #keepers = new JobGroup();
  readonly #held = new Map<ShardId, { readonly held: HeldLease; readonly progress: LeaseProgress }>();
  readonly #heldGauge: Gauge;
  readonly #lost: Counter;
  readonly #checkpoints: Counter;
  readonly #failedCheckpoints: Counter;

  constructor(table: LeaseTable, logger: Logger, options: LeaseCoordinatorOptions) {
    this.#table = table;
    this.#logger = logger.child({ component: "lease-coordinator" });
    this.#options = options;
    this.#renewMs = renewIntervalMs(options.failoverMs);
    this.#line = new RenewalLine(options);
    const { meter } = options;
    this.#heldGauge = meter.gauge("pulsar_ts_io_kinesis_leases_held", "Leases this worker holds");
    this.#lost = meter.counter(
      "pulsar_ts_io_kinesis_leases_lost_total",
      "Leases lost to another worker or to time",
    );
    this.#checkpoints = meter.counter("pulsar_ts_io_kinesis_checkpoints_total", "Checkpoints stored");
    this.#failedCheckpoints = meter.counter(
      "pulsar_ts_io_kinesis_checkpoints_failed_total",
      "Checkpoints that were reported as failed after all their attempts",
    );
  }

  /** The held lease of a shard, if it is ours. */
  get(id: ShardId): HeldLease | undefined {
    return this.#held.get(id)?.held;
  }

  /** The leases that are ours now. */
  get leases(): readonly HeldLease[] {
    return [...this.#held.values()].map((entry) => entry.held);
  }

  /**
   * Takes charge of a lease that was just taken.
   *
   * @param takenMs when the write that took it was sent, monotonic milliseconds.
   */
  hold(lease: Lease, takenMs: number, progress: LeaseProgress): HeldLease {
    const { clock, failoverMs } = this.#options;
    const held = new HeldLease(this.#table, lease, { clock, failoverMs, takenMs, line: this.#line });
    this.#held.set(lease.shardId, { held, progress });
    this.#heldGauge.set(this.#held.size);
    held.signal.addEventListener("abort", () => this.#forget(held), { once: true });
    this.#keepers.start((signal) => this.#keep(held, progress, signal));
    held.handOff.addEventListener("abort", () => {
      this.#keepers.start((signal) => this.#handOver(held, progress, signal));
    });
    return held;
  }

  /** Waits while renewals are short of time, at most about `longestMs`. Everything else comes after them. */
  async standBack(signal: AbortSignal, longestMs?: number): Promise<void> {
    await this.#line.standBack(signal, longestMs);
  }

  /** Renews and checkpoints until `signal` aborts. No failure of the table ends it. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#keepers.run(signal);
  }

  /** Stores what there is to store and leaves each lease without an owner, both in one write. */
  async releaseAll(signal: AbortSignal): Promise<void> {
    await Promise.all(
      [...this.#held.values()].map(({ held, progress }) => this.#release(held, progress, signal)),
    );
  }

  /** Settles what was read of a shard, then leaves its lease to other workers. Its reading must have been stopped. */
  giveUp(held: HeldLease, progress: LeaseProgress): void {
    this.#keepers.start((signal) => this.#settleAndRelease(held, progress, signal));
  }

  /** Gives a lease up without a write: its row is about to be deleted. */
  async drop(id: ShardId): Promise<void> {
    await this.get(id)?.drop();
  }

  /** Stores `change`; tries until it is stored or the lease is lost. */
  async store(held: HeldLease, change: LeaseChange, signal: AbortSignal): Promise<HeldWrite> {
    const { clock, backoffMs, random } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await held.write(() => change, signal);
      if (outcome.kind !== "failed") return outcome;
      await clock.sleep(Math.min(firstRetryMs * 2 ** Math.min(attempt, 10), backoffMs) * random(), signal);
    }
  }

  async #keep(held: HeldLease, progress: LeaseProgress, signal: AbortSignal): Promise<void> {
    const { clock, checkpointIntervalMs, random } = this.#options;
    // Leases that were taken together are not renewed together.
    let dueMs = held.renewedMs + this.#renewMs * (0.3 + 0.7 * random());
    const checkpointMs = Math.max(shortestCheckpointMs, checkpointIntervalMs);
    while (held.live) {
      const now = clock.monotonic();
      const early = now >= held.renewedMs + checkpointMs && progress.unsaved() !== undefined;
      if (now < dueMs && !early) {
        await clock.sleep(Math.min(dueMs, held.deadlineMs, now + checkpointMs) - now, signal);
        continue;
      }
      const round = await this.#round(held, progress, signal);
      dueMs = round === "written" ? held.renewedMs + this.#renewMs : clock.monotonic() + failedRoundMs;
    }
  }

  /** One renewal with its attempts. */
  async #round(held: HeldLease, progress: LeaseProgress, signal: AbortSignal): Promise<HeldWrite["kind"]> {
    const { clock, backoffMs, checkpointAttempts, random } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      const { outcome, checkpoint } = await this.#write(held, progress, { release: false }, signal);
      if (outcome.kind !== "failed") return outcome.kind;
      if (attempt >= checkpointAttempts) {
        if (checkpoint !== undefined) this.#failedCheckpoints.add(1);
        this.#options.outage.failed(`renewal of ${held.lease.shardId}`, outcome.error);
        return "failed";
      }
      const ceiling = Math.min(firstRetryMs * 2 ** (attempt - 1), backoffMs, this.#renewMs);
      const leftMs = Math.max(0, held.deadlineMs - clock.monotonic());
      await clock.sleep(Math.min(ceiling * random(), leftMs), signal);
    }
  }

  async #write(
    held: HeldLease,
    progress: LeaseProgress,
    options: { readonly release: boolean },
    signal: AbortSignal,
  ): Promise<{ readonly outcome: HeldWrite; readonly checkpoint: Checkpoint | undefined }> {
    let checkpoint: Checkpoint | undefined;
    const change = (): LeaseChange => {
      const unsaved = progress.unsaved();
      checkpoint = unsaved?.checkpoint;
      const throughputKBps = options.release ? undefined : progress.throughputKBps();
      return { ...unsaved, release: options.release, throughputKBps };
    };
    const outcome = await held.write(change, signal);
    if (outcome.kind === "written") this.#options.outage.recovered(`renewal of ${held.lease.shardId}`);
    if (outcome.kind === "written" && checkpoint !== undefined) {
      progress.saved(checkpoint);
      this.#checkpoints.add(1);
    }
    return { outcome, checkpoint };
  }

  /** Gives a lease, as far as it was acknowledged, to the worker that wants it; to nobody when it has taken that back. */
  async #handOver(held: HeldLease, progress: LeaseProgress, signal: AbortSignal): Promise<void> {
    const { shardId, owner } = held.lease;
    this.#logger.info({ shardId, to: owner }, "lease is to be handed over");
    await this.#settleAndRelease(held, progress, signal);
    if (!held.lost) this.#logger.info({ shardId, to: held.lease.owner ?? null }, "lease handed over");
  }

  async #settleAndRelease(held: HeldLease, progress: LeaseProgress, signal: AbortSignal): Promise<void> {
    using joined = new JoinedSignal(signal, held.signal);
    await within(settleMs, this.#options.clock, (stop) => progress.settled(stop), joined.signal);
    signal.throwIfAborted();
    // Settled or not: whoever has the lease next must find nobody at the partition.
    await unlessAborted(progress.letGo(), joined.signal).catch(() => {});
    signal.throwIfAborted();
    await this.#release(held, progress, signal);
  }

  async #release(held: HeldLease, progress: LeaseProgress, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (held.live) {
      const { outcome } = await this.#write(held, progress, { release: true }, signal);
      if (outcome.kind !== "failed") return;
      const { shardId } = held.lease;
      this.#logger.warn({ err: outcome.error, shardId }, "release of a lease failed");
      await clock.sleep(firstRetryMs, signal);
    }
  }

  #forget(held: HeldLease): void {
    const { shardId } = held.lease;
    if (this.#held.get(shardId)?.held === held) this.#held.delete(shardId);
    this.#heldGauge.set(this.#held.size);
    this.#options.outage.left(`renewal of ${shardId}`);
    if (!held.lost) return;
    this.#lost.add(1);
    this.#logger.warn({ err: held.signal.reason, shardId }, "lease lost");
  }
}
