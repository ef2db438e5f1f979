import type { OperationContext } from "./operation-context.ts";
import { ServiceError } from "./service-error.ts";
import type { Shard } from "./shard.ts";
import {
  decodeIterator,
  encodeIterator,
  type IteratorType,
  iteratorLifeMs,
  startingOffset,
} from "./shard-iterator.ts";
import type { Stream } from "./stream.ts";
import { wireShardRange } from "./wire-shapes.ts";

const iteratorTypes: readonly IteratorType[] = [
  "AFTER_SEQUENCE_NUMBER",
  "AT_SEQUENCE_NUMBER",
  "AT_TIMESTAMP",
  "LATEST",
  "TRIM_HORIZON",
];

/** AWS: a call answers at most 10 000 records and 10 MB. */
const maxRecords = 10_000;
const maxBytes = 10_485_760;

export function getShardIterator(context: OperationContext): unknown {
  const { fields, nowMs } = context;
  const stream = context.stream();
  const shard = stream.shard(fields.string("ShardId"), nowMs);
  const from = {
    type: fields.choice("ShardIteratorType", iteratorTypes),
    sequenceNumber: fields.optionalSequenceNumber("StartingSequenceNumber"),
    timestampMs: fields.optionalTimestampMs("Timestamp"),
  };
  return { ShardIterator: iteratorAt(stream, shard, startingOffset(stream, shard, from, nowMs), nowMs) };
}

/** Answers the stored JSON of the records as it is: nothing is built for a record here. */
export function getRecords(context: OperationContext): readonly Uint8Array[] {
  const { fields, model, limits, nowMs } = context;
  const token = fields.string("ShardIterator");
  const limit = fields.optionalInteger("Limit", 1, maxRecords) ?? maxRecords;
  const iterator = decodeIterator(token);
  const stream = model.streamByArn(iterator.streamArn);
  if (stream.generation !== iterator.generation) {
    throw new ServiceError("InvalidArgumentException", "Invalid ShardIterator.");
  }
  if (nowMs - iterator.issuedMs > iteratorLifeMs) throw expired(iterator.issuedMs, nowMs);
  const shard = stream.shard(iterator.shardId, nowMs);
  const limitKey = `${stream.arn}/${shard.id}`;
  limits.beforeRead(
    limitKey,
    `shard ${shard.id} in stream ${stream.name} under account ${model.accountId}.`,
    nowMs,
  );

  const from = Math.max(iterator.offset, shard.log.start);
  const slice = shard.log.read(from, limit, maxBytes);
  limits.afterRead(limitKey, slice.bytes, nowMs);
  const next = from + slice.count;
  const atEnd = !shard.open && next >= shard.log.end;
  const rest = {
    NextShardIterator: atEnd ? null : iteratorAt(stream, shard, next, nowMs),
    MillisBehindLatest: millisBehind(shard, next, nowMs),
    ...(atEnd ? { ChildShards: childShards(stream, shard, nowMs) } : {}),
  };
  const tail = Buffer.from(`],${JSON.stringify(rest).slice(1)}`);
  const [first, ...others] = slice.chunks;
  // Each stored record begins with a comma, which the first one must not.
  return first === undefined ? [head, tail] : [head, first.subarray(1), ...others, tail];
}

const head = Buffer.from('{"Records":[');

/** How old the next record is that the caller has not got; 0 when it has them all. */
function millisBehind(shard: Shard, next: number, nowMs: number): number {
  const arrivedMs = shard.log.arrivedAt(next);
  return arrivedMs === undefined ? 0 : Math.max(1, nowMs - arrivedMs);
}

function childShards(stream: Stream, shard: Shard, nowMs: number): unknown {
  const shards = stream.shards(nowMs).filter((candidate) => shard.childIds.includes(candidate.id));
  return shards.map((child) => ({
    ShardId: child.id,
    ParentShards: child.parentIds,
    HashKeyRange: wireShardRange(child),
  }));
}

function iteratorAt(stream: Stream, shard: Shard, offset: number, issuedMs: number): string {
  return encodeIterator({
    streamArn: stream.arn,
    generation: stream.generation,
    shardId: shard.id,
    offset,
    issuedMs,
  });
}

function expired(issuedMs: number, nowMs: number): ServiceError {
  return new ServiceError(
    "ExpiredIteratorException",
    `Iterator expired. The iterator was created at time ${new Date(issuedMs).toUTCString()} while right now it is ${new Date(nowMs).toUTCString()} which is further in the future than the tolerated delay of ${iteratorLifeMs} milliseconds.`,
  );
}
