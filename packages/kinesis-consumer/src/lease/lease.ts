import type { Checkpoint } from "../checkpoint.ts";
import type { HashKeyRange, ShardId } from "../shard/shard.ts";
import type { Numbering } from "./numbering.ts";

/** One row of the lease table: who reads a shard, and how far it has been read. */
export interface Lease {
  readonly shardId: ShardId;
  /** Absent: nobody's. */
  readonly owner: string | undefined;
  /** Grows with each write that matters: the fencing token and the heartbeat. */
  readonly counter: number;
  readonly checkpoint: Checkpoint;
  readonly parentShardIds: readonly ShardId[];
  /** Known once the shard has ended. */
  readonly childShardIds: readonly ShardId[];
  readonly hashKeyRange: HashKeyRange | undefined;
  /** KCL 3: the worker that still reads while `owner` already names the next one. */
  readonly checkpointOwner: string | undefined;
  /** Ours (`x_startTs`): where a lease at LATEST is opened, milliseconds since the epoch. */
  readonly startTimeMs: number | undefined;
  /** Ours (`x_worker`): the worker of this package that took it last. Java keeps it, so it counts only while it is `owner`. */
  readonly consumerWorker: string | undefined;
  /** Ours (`x_since`): since when that worker has it, milliseconds since the epoch by its clock: for people, and never compared. */
  readonly ownedSinceMs: number | undefined;
  /** Ours (`x_streamName`). */
  readonly streamName: string | undefined;
  /** Ours (`x_streamCreated`), milliseconds since the epoch. */
  readonly streamCreatedMs: number | undefined;
  /** Ours (`x_epoch`, `x_ord…`, `x_anchorSeq`): where records are numbered. */
  readonly numbering: Numbering | undefined;
}

/** The worker that reads the shard: while KCL 3 hands a lease over that is not the one which `owner` names. */
export function readerOf(lease: Lease): string | undefined {
  return lease.checkpointOwner ?? lease.owner;
}

/** A lease that is to be created, without an owner. */
export interface NewLease {
  readonly shardId: ShardId;
  readonly checkpoint: Checkpoint;
  readonly parentShardIds: readonly ShardId[];
  readonly hashKeyRange: HashKeyRange;
  /** For a lease at LATEST: where it is to be opened, milliseconds since the epoch. */
  readonly startTimeMs: number | undefined;
}

/** What we note on each row we create or take, so that another stream's table is recognised. */
export interface StreamStamp {
  readonly streamName: string;
  /** Absent when we may not ask. */
  readonly streamCreatedMs: number | undefined;
}
