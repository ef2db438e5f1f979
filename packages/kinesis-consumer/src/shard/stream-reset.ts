import type { Clock, Logger, StartPosition } from "@pulsar-ts-io/core";
import type { Kcl3Watch } from "../lease/kcl3-watch.ts";
import { type Lease, type NewLease, readerOf, type StreamStamp } from "../lease/lease.ts";
import type { LeaseTable } from "../lease/lease-table.ts";
import { firstLeases } from "./first-leases.ts";
import { formerLeases } from "./former-leases.ts";
import type { KinesisStream } from "./kinesis-stream.ts";
import { planForgottenChildren, planMissingLeases } from "./lease-plan.ts";
import type { Shard, ShardId } from "./shard.ts";
import { compareCreation, recreated } from "./stream-identity.ts";

/** How long the workers that hold leases of the former stream are waited for. */
const patienceMs = 60_000;
const lookMs = 1_000;
/** A renewal on its way when the watch begins may land so late. */
const watchSlackMs = 1_000;
const kcl3LookMs = 5_000;

/** A stream and the leases of its table, as they were at one time. */
export interface StreamView {
  readonly stamp: StreamStamp;
  readonly shards: readonly Shard[];
  readonly leases: readonly Lease[];
  /** When `leases` had been read, monotonic milliseconds. */
  readonly scannedMs: number;
}

export interface StreamResetOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tableName: string;
  readonly initialPosition: StartPosition;
  readonly workerId: string;
  readonly failoverMs: number;
  /** Tries again for a while what may heal. */
  readonly retry: <T>(attempt: () => Promise<T>) => Promise<T>;
}

/**
 * Makes the leases of a stream that was deleted into those of the stream that has its name now.
 *
 * What is missing is created first; then each row of the former stream is replaced or deleted, unless it changed since it was seen.
 * So every shard of the new stream has its row or its ancestor's before the last trace of the former one is gone, and until then
 * every start, of this worker or another one, takes the work up again. Many may do it at the same time: a row that is written for
 * the new stream is nobody's to replace. A former row whose owner lives, Java's or ours, is waited for: that worker has to see
 * first that its stream is no more.
 *
 * LATEST means the stream's beginning here: all that is in it came after the application's first start.
 */
export class StreamReset {
  readonly #places: ResetPlaces;
  readonly #options: StreamResetOptions;

  constructor(places: ResetPlaces, options: StreamResetOptions) {
    this.#places = places;
    this.#options = options;
  }

  /**
   * @param found what is there; asked again only when it has rows of a former stream.
   * @returns what is there when no row of a former stream is left: `found` itself when there was none.
   * @throws StreamRecreatedError (`PIO_STREAM_RECREATED`) when a worker goes on with the former stream's leases.
   */
  async run(found: StreamView, signal: AbortSignal): Promise<StreamView> {
    if (this.#former(found).length === 0) return found;
    const { clock, logger, tableName: table, retry } = this.#options;
    logger.warn(
      { table, leases: found.leases.length },
      "the stream was created anew, its leases are made anew",
    );
    const deadlineMs = clock.monotonic() + patienceMs;
    for (;;) {
      const view = await retry(() => this.#look(signal));
      if (this.#former(view).length === 0) return view;
      await this.#renew(await this.#abandoned(view, deadlineMs, signal), signal);
    }
  }

  #former(view: StreamView): readonly Lease[] {
    const { tableName } = this.#options;
    return formerLeases(view.leases, view.shards, { tableName, stamp: view.stamp });
  }

  /** The leases first: a shard with a lease of this stream is listed then. */
  async #look(signal: AbortSignal): Promise<StreamView> {
    const { stream } = this.#places;
    for (;;) {
      const streamCreatedMs = await stream.createdMs(signal);
      const scan = await this.#scan(signal);
      const shards = await stream.listShards(undefined, signal);
      const stamp = { streamName: this.#places.streamName, streamCreatedMs };
      if (compareCreation(await stream.createdMs(signal), stamp) === 0) return { ...scan, stamp, shards };
    }
  }

  async #scan(signal: AbortSignal): Promise<Pick<StreamView, "leases" | "scannedMs">> {
    const leases = await this.#places.table.list({ consistent: true }, signal);
    return { leases, scannedMs: this.#options.clock.monotonic() };
  }

  /** Waits until nobody works on the former leases: no owner has renewed one for as long as it lasts, and no KCL 3 lives. */
  async #abandoned(found: StreamView, deadlineMs: number, signal: AbortSignal): Promise<StreamView> {
    const { clock, retry } = this.#options;
    const { kcl3 } = this.#places;
    const watch = new OwnerWatch(this.#options);
    let lookedMs = clock.monotonic();
    for (let view = found; ; view = { ...view, ...(await retry(() => this.#scan(signal))) }) {
      const owner =
        watch.livingOwner(this.#former(view), view.scannedMs) ?? (kcl3.passive ? "KCL 3" : undefined);
      if (owner === undefined) return view;
      if (clock.monotonic() >= deadlineMs) throw this.#held(view, owner);
      await clock.sleep(lookMs, signal);
      if (clock.monotonic() < lookedMs + kcl3LookMs) continue;
      lookedMs = clock.monotonic();
      await retry(() => kcl3.look(signal));
    }
  }

  #held({ stamp }: StreamView, owner: string): Error {
    const subject = { tableName: this.#options.tableName, stamp };
    return recreated(subject, `its worker ${owner} lives and goes on with the leases of the former stream`, {
      remedy:
        "stop that worker, then start this one again: onStreamRecreated: reset takes nothing from the living",
    });
  }

  /** Returns early when a row turned out to have changed. */
  async #renew(view: StreamView, signal: AbortSignal): Promise<void> {
    const { table } = this.#places;
    const { retry } = this.#options;
    const { leases, stamp } = view;
    const former = this.#former(view);
    const planned = new Map(
      (await retry(() => this.#plan(view, former, signal))).map((to) => [to.shardId, to]),
    );
    const rows = new Set(leases.map((lease) => lease.shardId));
    const missing = [...planned.values()].filter((to) => !rows.has(to.shardId));
    await retry(() => table.create(missing, stamp, signal));
    for (const seen of former) {
      const to = planned.get(seen.shardId);
      const done = await retry(() =>
        to === undefined ? table.deleteUnchanged(seen, signal) : table.replace(seen, to, stamp, signal),
      );
      if (!done) return;
    }
  }

  /** As at a first start; once some rows are the new stream's, what these lack. */
  async #plan(
    { leases, shards }: StreamView,
    former: readonly Lease[],
    signal: AbortSignal,
  ): Promise<readonly NewLease[]> {
    const { initialPosition } = this.#options;
    const position: StartPosition =
      initialPosition.kind === "latest" ? { kind: "trim-horizon" } : initialPosition;
    const initial = { position, startTimeMs: undefined };
    const left = new Set(former);
    const kept = new Map(leases.filter((lease) => !left.has(lease)).map((lease) => [lease.shardId, lease]));
    if (kept.size === 0) return await firstLeases(this.#places.stream, initial, signal);
    return [...planMissingLeases(shards, kept, initial), ...planForgottenChildren(shards, kept)];
  }
}

interface ResetPlaces {
  readonly stream: KinesisStream;
  readonly streamName: string;
  readonly table: LeaseTable;
  readonly kcl3: Kcl3Watch;
}

/** Tells who of the owners of leases may still live: a lease expires by not changing for its time, and in no other way. */
class OwnerWatch {
  readonly #options: Pick<StreamResetOptions, "workerId" | "failoverMs">;
  readonly #seen = new Map<ShardId, { readonly lease: Lease; readonly sinceMs: number }>();

  constructor(options: Pick<StreamResetOptions, "workerId" | "failoverMs">) {
    this.#options = options;
  }

  livingOwner(leases: readonly Lease[], nowMs: number): string | undefined {
    const { workerId, failoverMs } = this.#options;
    let living: string | undefined;
    for (const lease of leases) {
      const reader = readerOf(lease);
      if (reader === undefined || reader === workerId) continue;
      const before = this.#seen.get(lease.shardId);
      const same = before?.lease.counter === lease.counter && readerOf(before.lease) === reader;
      const sinceMs = same ? before.sinceMs : nowMs;
      this.#seen.set(lease.shardId, { lease, sinceMs });
      if (nowMs < sinceMs + failoverMs + watchSlackMs) living ??= reader;
    }
    return living;
  }
}
