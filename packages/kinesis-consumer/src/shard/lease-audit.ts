import type { Clock, Logger, Outage } from "@pulsar-ts-io/core";
import type { Lease } from "../lease/lease.ts";
import type { LeaseMaker } from "../lease/lease-maker.ts";
import type { LeaseTable } from "../lease/lease-table.ts";
import { shardSyncLeader } from "../lease/shard-sync-leader.ts";
import { retryUntilDone } from "../retry.ts";
import { sleepUntilWoken, WakeUp } from "../wake-up.ts";
import { firstLeases } from "./first-leases.ts";
import { findHole } from "./hash-coverage.ts";
import type { KinesisStream } from "./kinesis-stream.ts";
import { type InitialPosition, planForgottenChildren, planMissingLeases } from "./lease-plan.ts";
import { listUntilDone } from "./list-until-done.ts";
import type { Shard } from "./shard.ts";

/** KCL's times for the leader; but a hole is looked into at once, not after it was seen three times. */
const firstRoundMs = 60_000;
const roundMs = 120_000;
/** Between two listings of one worker, however many holes come and go; and while one stays that was looked into. */
const restMs = 10_000;
const againMs = 60_000;

export interface LeaseAuditPlaces {
  readonly stream: KinesisStream;
  readonly table: LeaseTable;
  readonly maker: LeaseMaker;
}

export interface LeaseAuditOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly outage: Outage;
  /** For what Kinesis is asked. */
  readonly listing: Outage;
  readonly initial: InitialPosition;
  readonly workerId: string;
  /** Whether living workers of KCL 3 have a leader of their own. */
  readonly kcl3: { readonly passive: boolean };
}

/**
 * Creates the leases that are missing. Every worker looks at each scan of the table for hash keys that no unfinished lease covers, and
 * lists the shards at once when there are some: the creations are conditional, and the worker whose duty it is in KCL may be dead.
 * Where nothing seems to be missing, that worker alone lists them, every two minutes.
 *
 * @see PeriodicShardSyncManager in KCL
 */
export class LeaseAudit {
  readonly #places: LeaseAuditPlaces;
  readonly #options: LeaseAuditOptions;
  readonly #shown = new WakeUp();
  #leases: readonly Lease[] = [];
  /** What is amiss in the last scan. */
  #gap: string | undefined;
  #listed: { readonly gap: string | undefined; readonly ms: number } | undefined;

  constructor(places: LeaseAuditPlaces, options: LeaseAuditOptions) {
    this.#places = places;
    this.#options = options;
  }

  /** Shows it the table as somebody has just scanned it. */
  saw(leases: readonly Lease[]): void {
    this.#leases = leases;
    this.#gap = describeGap(leases);
    if (this.#gap !== undefined) this.#shown.wake();
    else if (this.#listed !== undefined) this.#listed = { ...this.#listed, gap: undefined };
  }

  /** Repairs until `signal` aborts. No failure that may heal ends it. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, outage } = this.#options;
    let roundFromMs = clock.monotonic() + firstRoundMs;
    for (;;) {
      const now = clock.monotonic();
      const round = now >= roundFromMs;
      if (round) roundFromMs = now + roundMs;
      if (now >= this.#gapFromMs || (round && this.#leads())) {
        this.#listed = { gap: this.#gap, ms: now };
        await retryUntilDone({ clock, outage, key: "audit", signal }, () => this.#compare(signal));
      }
      const waitMs = Math.min(roundFromMs, this.#gapFromMs) - clock.monotonic();
      await sleepUntilWoken(clock, Math.max(0, waitMs), this.#shown, signal);
    }
  }

  /** From when on what is amiss is to be looked into: a gap that stays although it was is left alone for a while. */
  get #gapFromMs(): number {
    if (this.#gap === undefined) return Number.POSITIVE_INFINITY;
    if (this.#listed === undefined) return Number.NEGATIVE_INFINITY;
    return this.#listed.ms + (this.#listed.gap === this.#gap ? againMs : restMs);
  }

  /** Beside living workers of KCL 3 their leader does it. */
  #leads(): boolean {
    const { kcl3, workerId } = this.#options;
    if (kcl3.passive) return false;
    const leader = shardSyncLeader(this.#leases);
    return leader === undefined || leader === workerId;
  }

  async #compare(signal: AbortSignal): Promise<void> {
    // Shards first, then the leases as they are: a lease created in between is not missed.
    const { clock, listing } = this.#options;
    const shards = await listUntilDone(this.#places.stream, { clock, listing, key: "audit", signal });
    const leases = await this.#places.table.list({ consistent: true }, signal);
    await this.#fillRanges(leases, shards, signal);
    await this.#repair(leases, shards, signal);
  }

  /** Rows of old KCL versions have no range. */
  async #fillRanges(leases: readonly Lease[], shards: readonly Shard[], signal: AbortSignal): Promise<void> {
    const byId = new Map(shards.map((shard) => [shard.shardId, shard]));
    for (const lease of leases) {
      const shard = byId.get(lease.shardId);
      if (lease.hashKeyRange !== undefined || shard === undefined) continue;
      await this.#places.table.setHashKeyRange(lease.shardId, shard.hashKeyRange, signal);
    }
  }

  async #repair(leases: readonly Lease[], shards: readonly Shard[], signal: AbortSignal): Promise<void> {
    const { initial } = this.#options;
    const { maker } = this.#places;
    const byId = new Map(leases.map((lease) => [lease.shardId, lease]));
    if (leases.length === 0) {
      await maker.create(await firstLeases(this.#places.stream, initial, signal), signal);
      return;
    }
    const plan = [
      ...planForgottenChildren(shards, byId),
      ...planMissingLeases(shards, byId, withOldestStart(initial, leases)),
    ];
    const created = await maker.create(plan, signal);
    if (created.length > 0) {
      this.#options.logger.warn({ created }, "leases were missing and have been created");
    }
  }
}

/** The first hash keys that no unfinished lease covers, or the leases that do not say what they cover; `undefined` when all is well. */
function describeGap(leases: readonly Lease[]): string | undefined {
  const unfinished = leases.filter((lease) => lease.checkpoint.kind !== "shard-end");
  const vague = unfinished.filter((lease) => lease.hashKeyRange === undefined);
  if (vague.length > 0) return vague.map((lease) => lease.shardId).join(" ");
  const hole = findHole(unfinished.flatMap((lease) => lease.hashKeyRange ?? []));
  return hole === undefined ? undefined : `${hole.start}-${hole.end}`;
}

/** A lease that a crash kept from being created at LATEST starts where the others did. */
function withOldestStart(initial: InitialPosition, leases: readonly Lease[]): InitialPosition {
  const known = leases.flatMap((lease) => lease.startTimeMs ?? []);
  const times = initial.startTimeMs === undefined ? known : [...known, initial.startTimeMs];
  return { ...initial, startTimeMs: times.length === 0 ? undefined : Math.min(...times) };
}
