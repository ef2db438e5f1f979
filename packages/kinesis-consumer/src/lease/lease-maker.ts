import type { Logger } from "@pulsar-ts-io/core";
import { describeCheckpoint } from "../checkpoint.ts";
import type { ShardId } from "../shard/shard.ts";
import type { Lease, NewLease, StreamStamp } from "./lease.ts";
import type { LeaseTable } from "./lease-table.ts";

/** Creates leases that are missing, and shows them to whoever takes leases here, without waiting for the next scan. */
export class LeaseMaker {
  readonly #table: LeaseTable;
  readonly #logger: Logger;
  readonly #options: LeaseMakerOptions;

  constructor(table: LeaseTable, logger: Logger, options: LeaseMakerOptions) {
    this.#table = table;
    this.#logger = logger;
    this.#options = options;
  }

  /** @returns the ids of those that did not exist. */
  async create(leases: readonly NewLease[], signal: AbortSignal): Promise<readonly ShardId[]> {
    if (leases.length === 0) return [];
    const { stamp, created } = this.#options;
    const ids = new Set(await this.#table.create(leases, stamp, signal));
    for (const lease of leases) {
      if (!ids.has(lease.shardId)) continue;
      const { shardId } = lease;
      this.#logger.info({ shardId, checkpoint: describeCheckpoint(lease.checkpoint) }, "lease created");
      created(asCreated(lease, stamp));
    }
    return [...ids];
  }
}

export interface LeaseMakerOptions {
  readonly stamp: StreamStamp;
  /** Called for each lease that was created. */
  readonly created: (lease: Lease) => void;
}

/** A lease as its row is right after its creation. */
export function asCreated(lease: NewLease, stamp: StreamStamp): Lease {
  return {
    ...lease,
    ...stamp,
    owner: undefined,
    consumerWorker: undefined,
    ownedSinceMs: undefined,
    counter: 0,
    childShardIds: [],
    checkpointOwner: undefined,
    numbering: undefined,
  };
}
