import type { OperationContext } from "./operation-context.ts";
import { childShards, pageCbor, pageJson, readPage } from "./record-page.ts";
import { ServiceError } from "./service-error.ts";
import type { Shard } from "./shard.ts";
import {
  decodeIterator,
  encodeIterator,
  iteratorLifeMs,
  iteratorTypes,
  startingOffset,
} from "./shard-iterator.ts";
import type { Stream } from "./stream.ts";

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

export function getRecords(context: OperationContext): readonly Uint8Array[] {
  const { fields, model, limits, nowMs, records } = context;
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

  const page = readPage(shard, iterator.offset, { maxCount: limit, maxBytes, form: records }, nowMs);
  limits.afterRead(limitKey, page.slice.bytes, nowMs);
  const rest = {
    NextShardIterator: page.atEnd ? null : iteratorAt(stream, shard, page.next, nowMs),
    ...(page.atEnd ? { ChildShards: childShards(stream, shard, nowMs) } : {}),
  };
  return records === "json" ? pageJson(page, rest) : pageCbor(page, rest);
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
