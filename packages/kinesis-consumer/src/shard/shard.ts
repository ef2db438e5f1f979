declare const brand: unique symbol;

/** The id of a shard, which is also the key of its lease. */
export type ShardId = string & { readonly [brand]: "ShardId" };

/** `text` as a shard id. For the adapters, where ids come in from the services. */
export function shardId(text: string): ShardId {
  return text as ShardId; // a brand only: any text that the service calls an id is one
}

/** Both ends inclusive, 0 to 2^128 - 1. */
export interface HashKeyRange {
  readonly start: bigint;
  readonly end: bigint;
}

export const lastHashKey: bigint = 2n ** 128n - 1n;

/** One shard as ListShards tells it. */
export interface Shard {
  readonly shardId: ShardId;
  /** None, one after a split, two after a merge; they may no longer be listed themselves. */
  readonly parentShardIds: readonly ShardId[];
  readonly hashKeyRange: HashKeyRange;
  readonly startingSequenceNumber: bigint;
  /** Whether it still takes records. */
  readonly open: boolean;
}

/** A child as the last answer of its parent names it. */
export interface ChildShard {
  readonly shardId: ShardId;
  readonly parentShardIds: readonly ShardId[];
  readonly hashKeyRange: HashKeyRange;
}

/** Whether the two have a hash key in common. */
export function overlaps(a: HashKeyRange, b: HashKeyRange): boolean {
  return a.start <= b.end && b.start <= a.end;
}
