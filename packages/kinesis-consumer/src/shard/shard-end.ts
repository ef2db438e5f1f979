import { Backoff, type Clock, type Logger, type Outage } from "@pulsar-ts-io/core";
import type { ReadEnd } from "../fetch/polling.ts";
import type { HeldLease } from "../lease/held-lease.ts";
import type { Lease, StreamStamp } from "../lease/lease.ts";
import type { LeaseCoordinator } from "../lease/lease-coordinator.ts";
import type { LeaseMaker } from "../lease/lease-maker.ts";
import type { LeaseTable } from "../lease/lease-table.ts";
import { retryUntilDone } from "../retry.ts";
import type { KinesisStream } from "./kinesis-stream.ts";
import { atTrimHorizon, type InitialPosition, planHeirs, planMissingLeases } from "./lease-plan.ts";
import { listUntilDone } from "./list-until-done.ts";
import type { ChildShard, ShardId } from "./shard.ts";
import { createdMsIfAllowed } from "./stream-age.ts";
import { checkStreamCreation } from "./stream-identity.ts";
import type { WaitingSigns } from "./waiting-signs.ts";

/** How often it is looked whether the other parent of a merged shard has its lease. */
const firstLookMs = 250;
const longestLookMs = 5_000;

export interface ShardEndPlaces {
  readonly stream: KinesisStream;
  readonly table: LeaseTable;
  readonly coordinator: LeaseCoordinator;
  readonly maker: LeaseMaker;
}

export interface ShardEndOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly outage: Outage;
  /** For what Kinesis is asked. */
  readonly listing: Outage;
  readonly initial: InitialPosition;
  readonly stamp: StreamStamp;
  readonly applicationName: string;
}

/** Who ends the shard, and until when. */
export interface Ending {
  readonly signs: WaitingSigns;
  readonly signal: AbortSignal;
}

/**
 * Ends a shard whose records were all acknowledged, in the one order that loses nothing when it is cut short anywhere: the
 * children's leases, the children's names, then SHARD_END. Each step may be repeated.
 *
 * @see ShutdownTask in KCL
 */
export class ShardEnd {
  readonly #places: ShardEndPlaces;
  readonly #options: ShardEndOptions;

  constructor(places: ShardEndPlaces, options: ShardEndOptions) {
    this.#places = places;
    this.#options = options;
  }

  /** @returns false when the shard turned out not to have ended: it is to be read on. */
  async finish(held: HeldLease, end: ReadEnd, ending: Ending): Promise<boolean> {
    const { signs, signal } = ending;
    const { clock, outage } = this.#options;
    const { shardId } = held.lease;
    const retry = { clock, outage, key: `end of ${shardId}`, signal, signs };
    const children = await retryUntilDone(retry, () =>
      end.kind === "shard-end"
        ? this.#openTheWay(end.children, ending)
        : this.#replaceGone(held.lease, ending),
    );
    signal.throwIfAborted();
    if (children === undefined) return false;
    if (children.length > 0) {
      await retryUntilDone(retry, () => this.#places.table.setChildren(shardId, children, signal));
    }
    signal.throwIfAborted();
    signs.calling();
    const written = await this.#places.coordinator.store(held, { checkpoint: { kind: "shard-end" } }, signal);
    if (!signal.aborted) signs.waiting();
    if (written.kind === "written") this.#options.logger.info({ shardId, children }, "shard finished");
    return true;
  }

  /** Creates the leases of the children. @returns their ids. */
  async #openTheWay(children: readonly ChildShard[], ending: Ending): Promise<readonly ShardId[]> {
    const { signal } = ending;
    const { table, maker } = this.#places;
    const rows = await Promise.all(children.map((child) => table.get(child.shardId, signal)));
    const missing = children.filter((_child, index) => rows[index] === undefined);
    if (missing.some((child) => child.parentShardIds.length > 1)) await this.#otherParents(missing, ending);
    await maker.create(missing.map(atTrimHorizon), signal);
    return children.map((child) => child.shardId);
  }

  /**
   * Waits until both parents of a merged shard have a lease, as KCL does: a parent without one keeps no child waiting, and the
   * merged shard would be read too early. A parent that the service has forgotten is not waited for, and one that no lease leads
   * to is leased here.
   */
  async #otherParents(children: readonly ChildShard[], { signs, signal }: Ending): Promise<void> {
    const { maker, stream } = this.#places;
    const { clock, initial, listing } = this.#options;
    const parents = new Set(children.flatMap((child) => child.parentShardIds));
    const pause = new Backoff({ initialMs: firstLookMs, maxMs: longestLookMs });
    for (;;) {
      const unleased = await this.#unleased(parents, signal);
      if (unleased.length === 0) return;
      const [key] = parents;
      const shards = await listUntilDone(stream, { clock, listing, key: `parents ${key}`, signal, signs });
      signs.calling();
      if (!shards.some((shard) => unleased.includes(shard.shardId))) return;
      const plan = planMissingLeases(shards, await this.#leases(signal), initial);
      const created = await maker.create(
        plan.filter((lease) => unleased.includes(lease.shardId)),
        signal,
      );
      // The others are leased when an ancestor of theirs ends, here or at another worker.
      if (created.length > 0) continue;
      signs.waiting();
      await clock.sleep(pause.next(), signal);
      signs.calling();
    }
  }

  async #unleased(ids: ReadonlySet<ShardId>, signal: AbortSignal): Promise<readonly ShardId[]> {
    const all = [...ids];
    const rows = await Promise.all(all.map((id) => this.#places.table.get(id, signal)));
    return all.filter((_id, index) => rows[index] === undefined);
  }

  /** The service does not know the shard any more. @returns its children, or `undefined` when it does know it. */
  async #replaceGone(lease: Lease, { signs, signal }: Ending): Promise<readonly ShardId[] | undefined> {
    const { maker, stream } = this.#places;
    const { clock, listing } = this.#options;
    const key = `end of ${lease.shardId}`;
    const shards = await listUntilDone(stream, { clock, listing, key, signal, signs });
    signs.calling();
    if (shards.some((shard) => shard.shardId === lease.shardId)) return undefined;
    // In a stream created anew nothing continues the shard, and its end would be a tombstone on one that comes.
    checkStreamCreation(this.#options.stamp.streamCreatedMs, {
      tableName: this.#options.applicationName,
      stamp: { ...this.#options.stamp, streamCreatedMs: await createdMsIfAllowed(stream, signal) },
    });
    const heirs = planHeirs(lease, shards, await this.#leases(signal));
    await maker.create(heirs, signal);
    const { shardId } = lease;
    this.#options.logger.warn({ shardId }, "a shard has expired before it was read to its end");
    return shards.filter((shard) => shard.parentShardIds.includes(shardId)).map((shard) => shard.shardId);
  }

  async #leases(signal: AbortSignal): Promise<ReadonlyMap<ShardId, Lease>> {
    const leases = await this.#places.table.list({ consistent: true }, signal);
    return new Map(leases.map((lease) => [lease.shardId, lease]));
  }
}
