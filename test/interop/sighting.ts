import type { Shard } from "@aws-sdk/client-kinesis";
import type { StoredRecord } from "../harness/kinesis-stream.ts";

/** A record as a worker handed it out. */
export interface Sighting {
  readonly shardId: string;
  readonly sequenceNumber: string;
  /** Its place in an aggregate; 0 without one. */
  readonly subSequenceNumber: number;
  /** Base64. */
  readonly data: string;
  /** Milliseconds of `performance.now()`. */
  readonly atMs: number;
}

/** What was put or seen, for comparison: the sequence numbers of each shard, in the order given. */
export function byShard(
  records: readonly (Sighting | StoredRecord)[],
): Readonly<Record<string, readonly string[]>> {
  const shards = new Map<string, string[]>();
  for (const { shardId, sequenceNumber } of records) {
    const shard = shards.get(shardId) ?? [];
    shards.set(shardId, shard);
    shard.push(sequenceNumber);
  }
  return Object.fromEntries(shards);
}

/** How many different records there are. */
export function distinct(records: readonly Sighting[]): number {
  return new Set(records.map(({ sequenceNumber }) => sequenceNumber)).size;
}

/**
 * Shards of which a record was handed out, by whichever worker, before the last of a parent had been for the first time.
 */
export function childrenFirst(
  shards: readonly Shard[],
  workers: readonly { readonly records: readonly Sighting[] }[],
): readonly string[] {
  const began = new Map<string, number>();
  const ended = new Map<string, number>();
  const seen = new Set<string>();
  const inOrder = workers.flatMap(({ records }) => records).sort((one, other) => one.atMs - other.atMs);
  for (const { shardId, sequenceNumber, atMs } of inOrder) {
    if (seen.has(sequenceNumber)) continue;
    seen.add(sequenceNumber);
    if (!began.has(shardId)) began.set(shardId, atMs);
    ended.set(shardId, atMs);
  }
  return shards.flatMap(({ ShardId: id = "", ParentShardId, AdjacentParentShardId }) => {
    const beganMs = began.get(id) ?? Number.POSITIVE_INFINITY;
    const parents = [ParentShardId, AdjacentParentShardId];
    return parents.some((parent) => (ended.get(parent ?? "") ?? 0) > beganMs) ? [id] : [];
  });
}
