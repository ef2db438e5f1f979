import type { ConnectorError } from "@pulsar-ts-io/core";
import type { Checkpoint } from "../checkpoint.ts";
import type { HashKeyRange, ShardId } from "../shard/shard.ts";
import type { Lease, NewLease, StreamStamp } from "./lease.ts";
import type { Numbering } from "./numbering.ts";

/** How a write that depends on the lease being unchanged has ended. */
export type WriteOutcome =
  | { readonly kind: "written"; readonly lease: Lease }
  /**
   * The row is not as the writer last saw it.
   *
   * `current` is the row now, absent when it is gone. `retried`: an earlier try of this same write may be what changed it.
   */
  | { readonly kind: "refused"; readonly current: Lease | undefined; readonly retried: boolean }
  /** No answer that settles it. `mayHaveLanded`: the row may have been written all the same. */
  | { readonly kind: "failed"; readonly error: ConnectorError; readonly mayHaveLanded: boolean };

/** What an owner's write changes besides the counter. */
export interface LeaseChange {
  /** Stores this checkpoint; absent: only renews. */
  readonly checkpoint?: Checkpoint | undefined;
  /** Stores this, with the checkpoint it belongs to; absent: left as it is, but for the end of a shard, which removes it. */
  readonly numbering?: Numbering | undefined;
  /** Leaves the lease without an owner; during a hand-off: to the worker it is handed to. */
  readonly release?: boolean | undefined;
  /** What is lately delivered of the shard, KiB a second, for a leader of KCL 3; absent: left as it is. */
  readonly throughputKBps?: number | undefined;
}

/** What a worker notes on a row besides its name when it takes the lease. */
export interface TakeOptions {
  readonly stamp: StreamStamp;
  /** Kept if the row has one already. */
  readonly startTimeMs: number | undefined;
  /** Since when it has the lease, milliseconds since the epoch by its own clock. */
  readonly sinceMs: number;
}

/**
 * The lease store, as the consumer needs it. Shared with KCL: same attributes, same conditions.
 *
 * Every call may reject with a coded error of the store; `retryable` says whether to call again.
 */
export interface LeaseTable {
  /**
   * Whether there is a table that can be used now.
   *
   * @throws LeaseTableNameError (`PIO_LEASE_TABLE_NAME`), LeaseTableSchemaError (`PIO_LEASE_TABLE_SCHEMA`).
   */
  ready(signal: AbortSignal): Promise<boolean>;
  /**
   * Waits until the table can be used; creates it when there is none.
   *
   * @throws LeaseTableNameError (`PIO_LEASE_TABLE_NAME`), LeaseTableSchemaError (`PIO_LEASE_TABLE_SCHEMA`).
   */
  ensure(signal: AbortSignal): Promise<void>;
  /** Every lease; rows that are none are skipped. `consistent`: nothing written before the call is missing. */
  list(options: { readonly consistent: boolean }, signal: AbortSignal): Promise<readonly Lease[]>;
  /** One lease as it is now. */
  get(id: ShardId, signal: AbortSignal): Promise<Lease | undefined>;
  /**
   * Creates those leases that do not exist, in order, at most 100 at once or none of them where the store can do that.
   *
   * @returns the ids that this call created.
   */
  create(leases: readonly NewLease[], stamp: StreamStamp, signal: AbortSignal): Promise<readonly ShardId[]>;
  /** Makes `worker` the owner if nothing changed since `lease` was read. */
  take(lease: Lease, worker: string, options: TakeOptions, signal: AbortSignal): Promise<WriteOutcome>;
  /**
   * Asks `lease.owner`, a worker of this package, to hand its lease over to `worker`. It stays the reader until it has settled
   * what it has read; then the lease is `worker`'s to take. Refused when it owns the lease no more.
   */
  requestHandOff(lease: Lease, worker: string, signal: AbortSignal): Promise<WriteOutcome>;
  /**
   * Takes back the request of `worker`: the lease is again as it was before. Refused when `worker` is not named as the next to
   * have it, or the one who reads it is no worker of this package.
   */
  withdrawRequest(id: ShardId, worker: string, signal: AbortSignal): Promise<WriteOutcome>;
  /** Renews, checkpoints or releases in one write, if the worker that reads `lease` still has it unchanged. */
  write(lease: Lease, change: LeaseChange, signal: AbortSignal): Promise<WriteOutcome>;
  /** Notes the children of a shard; the counter is neither asked nor moved. @returns false when the row is gone. */
  setChildren(id: ShardId, children: readonly ShardId[], signal: AbortSignal): Promise<boolean>;
  /** Fills in the range of a row that has none; the counter is neither asked nor moved. @returns false when the row is gone. */
  setHashKeyRange(id: ShardId, range: HashKeyRange, signal: AbortSignal): Promise<boolean>;
  /**
   * Makes the row of `seen` anew as `to`, with nobody as its owner, unless it changed since: nothing of the old row is left but its
   * counter, which moves on and so shuts out whoever held it. A row of another stream of the same name counts as changed.
   *
   * @returns false when it changed, or is gone.
   */
  replace(seen: Lease, to: NewLease, stamp: StreamStamp, signal: AbortSignal): Promise<boolean>;
  /** Deletes the row of `seen` unless it changed since, in the same sense. @returns false when it changed; true also when it is gone. */
  deleteUnchanged(seen: Lease, signal: AbortSignal): Promise<boolean>;
  /** Deletes a finished lease that is `worker`'s or nobody's. @returns false when it is not so (any more). */
  deleteFinished(id: ShardId, worker: string, signal: AbortSignal): Promise<boolean>;
}
