import { createHash } from "node:crypto";
import type { Shard } from "@aws-sdk/client-kinesis";
import type { TopicMessage } from "@pulsar-ts-io/testkit";
import type { StoredRecord } from "./kinesis-stream.ts";
import { sequenceNumberOf, shardOf } from "./topic-follower.ts";

/** What became of records on their way from a stream to a topic. All zero, `repeated` aside, is what is promised. */
export interface Comparison {
  readonly missing: number;
  /** Other bytes, another key, or properties that tell of another record. */
  readonly altered: number;
  /** Messages of records that were never put. */
  readonly strange: number;
  /** Records that arrived for the first time after a later one of their shard had. */
  readonly disordered: number;
  /** Messages beyond the first of each record. */
  readonly repeated: number;
}

/** Compares what was put with what a reader of the topic saw, in the order it saw it. */
export function compare(put: readonly StoredRecord[], seen: readonly TopicMessage[]): Comparison {
  const expected = new Map(put.map((record) => [record.sequenceNumber, record]));
  const arrived = new Set<string>();
  const newest = new Map<string, bigint>();
  let altered = 0;
  let strange = 0;
  let disordered = 0;
  for (const message of seen) {
    const sequenceNumber = sequenceNumberOf(message);
    const record = expected.get(sequenceNumber);
    if (record === undefined) {
      strange += 1;
      continue;
    }
    if (!isSame(record, message)) altered += 1;
    if (arrived.has(sequenceNumber)) continue;
    arrived.add(sequenceNumber);
    if (BigInt(sequenceNumber) < (newest.get(record.shardId) ?? 0n)) disordered += 1;
    else newest.set(record.shardId, BigInt(sequenceNumber));
  }
  return {
    missing: expected.size - arrived.size,
    altered,
    strange,
    disordered,
    repeated: seen.length - strange - arrived.size,
  };
}

function isSame(record: StoredRecord, message: TopicMessage): boolean {
  return (
    message.length === record.data.length &&
    message.sha256 === createHash("sha256").update(record.data).digest("hex") &&
    message.key === record.key &&
    shardOf(message) === record.shardId &&
    message.properties["kinesis.partition.key"] === record.key
  );
}

/** What is promised of a run that was never killed. */
export const exactlyAsPut: Comparison = { missing: 0, altered: 0, strange: 0, disordered: 0, repeated: 0 };

/** Messages of a shard that were seen before the last one of a parent of that shard. */
export function childrenBeforeParents(shards: readonly Shard[], seen: readonly TopicMessage[]): number {
  const last = new Map<string, number>();
  for (const [index, message] of seen.entries()) last.set(shardOf(message), index);
  const parents = new Map(
    shards.map((shard) => [shard.ShardId, [shard.ParentShardId, shard.AdjacentParentShardId]]),
  );
  return seen.filter((message, index) =>
    (parents.get(shardOf(message)) ?? []).some(
      (parent) => parent !== undefined && (last.get(parent) ?? -1) > index,
    ),
  ).length;
}
