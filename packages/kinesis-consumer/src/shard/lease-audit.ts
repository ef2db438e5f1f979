import type { Clock, Logger } from "@pulsar-ts-io/core";
import type { Lease } from "../lease/lease.ts";
import type { LeaseMaker } from "../lease/lease-maker.ts";
import type { LeaseTable } from "../lease/lease-table.ts";
import type { OutageLog } from "../outage-log.ts";
import { retryUntilDone } from "../retry.ts";
import { findHole } from "./hash-coverage.ts";
import type { KinesisStream } from "./kinesis-stream.ts";
import {
  type InitialPosition,
  planFirstLeases,
  planForgottenChildren,
  planMissingLeases,
} from "./lease-plan.ts";
import type { Shard } from "./shard.ts";

/** KCL's times; but a hole is looked into at once, not after it was seen three times. */
const firstRoundMs = 60_000;
const roundMs = 120_000;

export interface LeaseAuditPlaces {
  readonly stream: KinesisStream;
  readonly table: LeaseTable;
  readonly maker: LeaseMaker;
}

export interface LeaseAuditOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly outage: OutageLog;
  readonly initial: InitialPosition;
}

/**
 * Looks for hash keys that no unfinished lease covers, and creates the leases that are missing. Every worker does it: the
 * creations are conditional, and the worker whose duty it is in KCL may be dead.
 *
 * @see PeriodicShardSyncManager in KCL
 */
export class LeaseAudit {
  readonly #places: LeaseAuditPlaces;
  readonly #options: LeaseAuditOptions;

  constructor(places: LeaseAuditPlaces, options: LeaseAuditOptions) {
    this.#places = places;
    this.#options = options;
  }

  /** Audits at once, then after a minute, then every two, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, outage } = this.#options;
    for (let waitMs = firstRoundMs; ; waitMs = roundMs) {
      await retryUntilDone({ clock, outage, key: "audit", signal }, () => this.#round(signal));
      await clock.sleep(waitMs, signal);
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const seen = await this.#places.table.list({ consistent: false }, signal);
    if (isComplete(seen)) return;
    // Shards first, then the leases as they are: a lease created in between is not missed.
    const shards = await this.#places.stream.listShards(undefined, signal);
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
      const listed = await this.#places.stream.listShards(initial.position, signal);
      await maker.create(planFirstLeases(listed, initial), signal);
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

function isComplete(leases: readonly Lease[]): boolean {
  const unfinished = leases.filter((lease) => lease.checkpoint.kind !== "shard-end");
  const ranges = unfinished.flatMap((lease) => lease.hashKeyRange ?? []);
  return ranges.length === unfinished.length && findHole(ranges) === undefined;
}

/** A lease that a crash kept from being created at LATEST starts where the others did. */
function withOldestStart(initial: InitialPosition, leases: readonly Lease[]): InitialPosition {
  const known = leases.flatMap((lease) => lease.startTimeMs ?? []);
  const times = initial.startTimeMs === undefined ? known : [...known, initial.startTimeMs];
  return { ...initial, startTimeMs: times.length === 0 ? undefined : Math.min(...times) };
}
