import { type Clock, hasCode, type Logger, type Outage } from "@pulsar-ts-io/core";
import { aborted } from "../joined-signal.ts";
import { retryUntilDone } from "../retry.ts";
import type { KinesisStream } from "../shard/kinesis-stream.ts";
import { listUntilDone } from "../shard/list-until-done.ts";
import type { Shard, ShardId } from "../shard/shard.ts";
import type { Lease } from "./lease.ts";
import type { LeaseCoordinator } from "./lease-coordinator.ts";
import type { LeaseTable } from "./lease-table.ts";

const roundMs = 60_000;
/** Between looks for finished leases of shards that the service has forgotten; KCL's. */
const garbageMs = 30 * 60_000;

export interface LeaseCleanerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly outage: Outage;
  /** For what Kinesis is asked. */
  readonly listing: Outage;
  readonly workerId: string;
}

/**
 * Deletes this worker's finished leases once nothing depends on them, under KCL's conditions.
 *
 * A finished lease is the tombstone that keeps its shard from being leased again: it stays until all children have begun.
 *
 * @see LeaseCleanupManager in KCL
 */
export class LeaseCleaner {
  readonly #places: {
    readonly table: LeaseTable;
    readonly stream: KinesisStream;
    readonly coordinator: LeaseCoordinator;
  };
  readonly #options: LeaseCleanerOptions;
  #garbageDueMs: number;

  constructor(
    places: {
      readonly table: LeaseTable;
      readonly stream: KinesisStream;
      readonly coordinator: LeaseCoordinator;
    },
    options: LeaseCleanerOptions,
  ) {
    this.#places = places;
    this.#options = options;
    this.#garbageDueMs = options.clock.monotonic() + garbageMs;
  }

  /** Cleans up once a minute until `signal` aborts; not at all once that turns out to be forbidden: nothing depends on it. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, outage, logger } = this.#options;
    try {
      for (;;) {
        await clock.sleep(roundMs, signal);
        await retryUntilDone({ clock, outage, key: "clean-up", signal }, () => this.#round(signal));
      }
    } catch (error) {
      if (!hasCode(error, "PIO_AWS_ACCESS_DENIED")) throw error;
      logger.warn({ err: error }, "finished leases may not be deleted, they stay in the table");
      await aborted(signal);
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { clock, listing } = this.#options;
    const finished = this.#finished();
    if (finished.length === 0) return;
    const { table, stream } = this.#places;
    const rows = await table.list({ consistent: true }, signal);
    const leases = new Map(rows.map((lease) => [lease.shardId, lease]));
    const lookForGarbage = clock.monotonic() >= this.#garbageDueMs;
    const nameless = finished.some((id) => leases.get(id)?.childShardIds.length === 0);
    const shards =
      lookForGarbage || nameless
        ? await listUntilDone(stream, { clock, listing, key: "clean-up", signal })
        : undefined;
    if (lookForGarbage) this.#garbageDueMs = clock.monotonic() + garbageMs;
    for (const id of finished) {
      const lease = leases.get(id);
      if (lease === undefined || !isDone(lease, leases, shards)) continue;
      await this.#delete(id, signal);
      leases.delete(id);
    }
  }

  #finished(): readonly ShardId[] {
    return this.#places.coordinator.leases
      .filter((held) => held.lease.checkpoint.kind === "shard-end")
      .map((held) => held.lease.shardId);
  }

  async #delete(id: ShardId, signal: AbortSignal): Promise<void> {
    const { table, coordinator } = this.#places;
    // Dropped first: a renewal that found the row gone would be taken for a loss.
    await coordinator.drop(id);
    if (!(await table.deleteFinished(id, this.#options.workerId, signal))) return;
    this.#options.logger.info({ shardId: id }, "finished lease deleted");
  }
}

/** Whether nothing needs this finished lease any more. A child at LATEST counts as begun, in KCL and here. */
function isDone(
  lease: Lease,
  leases: ReadonlyMap<ShardId, Lease>,
  shards: readonly Shard[] | undefined,
): boolean {
  if (lease.checkpoint.kind !== "shard-end") return false;
  const forgotten = shards !== undefined && !shards.some((shard) => shard.shardId === lease.shardId);
  const listed = shards?.filter((shard) => shard.parentShardIds.includes(lease.shardId)) ?? [];
  const children =
    lease.childShardIds.length > 0 ? lease.childShardIds : listed.map((shard) => shard.shardId);
  if (children.length === 0) return forgotten;
  if (lease.parentShardIds.some((id) => leases.has(id))) return false;
  return children.every((id) => hasBegun(leases.get(id)));
}

function hasBegun(child: Lease | undefined): boolean {
  if (child === undefined) return false;
  return child.checkpoint.kind !== "trim-horizon" && child.checkpoint.kind !== "at-timestamp";
}
