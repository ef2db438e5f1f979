import type { StoredRecord } from "../harness/kinesis-stream.ts";

/** A record as a worker handed it out. */
export interface Sighting {
  readonly shardId: string;
  readonly sequenceNumber: string;
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
