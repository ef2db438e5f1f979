import { ServiceError } from "./service-error.ts";
import type { Shard } from "./shard.ts";
import type { Stream } from "./stream.ts";

const types = [
  "AFTER_SEQUENCE_NUMBER",
  "AT_SEQUENCE_NUMBER",
  "AT_TIMESTAMP",
  "LATEST",
  "TRIM_HORIZON",
] as const;

export type IteratorType = (typeof types)[number];

export const iteratorTypes: readonly IteratorType[] = types;

/** Where to start reading a shard, as a request says it. */
export interface StartingPoint {
  readonly type: IteratorType;
  readonly sequenceNumber?: bigint | undefined;
  readonly timestampMs?: number | undefined;
}

/** What an iterator token stands for. */
export interface ShardIterator {
  readonly streamArn: string;
  /** An iterator dies with its stream, also when another takes its name. */
  readonly generation: number;
  readonly shardId: string;
  /** Of the next record to read. */
  readonly offset: number;
  readonly issuedMs: number;
}

/** AWS: an iterator expires five minutes after it was handed out. */
export const iteratorLifeMs = 300_000;

/** @throws ServiceError InvalidArgumentException */
export function startingOffset(stream: Stream, shard: Shard, from: StartingPoint, nowMs: number): number {
  switch (from.type) {
    case "TRIM_HORIZON":
      return shard.log.start;
    case "LATEST":
      return shard.log.end;
    case "AT_TIMESTAMP":
      return offsetAtTime(shard, from.timestampMs, nowMs);
    case "AT_SEQUENCE_NUMBER":
    case "AFTER_SEQUENCE_NUMBER":
      return offsetAtSequence(stream, shard, from);
    default:
      return from.type satisfies never;
  }
}

function offsetAtTime(shard: Shard, timestampMs: number | undefined, nowMs: number): number {
  if (timestampMs === undefined) {
    throw new ServiceError(
      "InvalidArgumentException",
      "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP.",
    );
  }
  if (timestampMs > nowMs) {
    throw new ServiceError(
      "InvalidArgumentException",
      `The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: ${timestampMs}, currentTimestampInMillis: ${nowMs}`,
    );
  }
  return shard.log.firstSince(timestampMs);
}

function offsetAtSequence(stream: Stream, shard: Shard, from: StartingPoint): number {
  if (from.sequenceNumber === undefined) {
    throw new ServiceError(
      "InvalidArgumentException",
      `Must specify startingSequenceNumber parameter for iterator of type ${from.type}.`,
    );
  }
  const offset = shard.seek(from.sequenceNumber, from.type === "AFTER_SEQUENCE_NUMBER");
  if (offset !== undefined) return Math.max(offset, shard.log.start);
  throw new ServiceError(
    "InvalidArgumentException",
    `StartingSequenceNumber ${from.sequenceNumber} used in GetShardIterator on shard ${shard.id} in stream ${stream.name} is invalid because it did not come from this stream.`,
  );
}

export function encodeIterator(iterator: ShardIterator): string {
  const { streamArn, generation, shardId, offset, issuedMs } = iterator;
  return Buffer.from(JSON.stringify([streamArn, generation, shardId, offset, issuedMs])).toString("base64");
}

/** @throws ServiceError InvalidArgumentException */
export function decodeIterator(token: string): ShardIterator {
  const fields = parseJson(Buffer.from(token, "base64").toString());
  if (Array.isArray(fields)) {
    const [streamArn, generation, shardId, offset, issuedMs]: unknown[] = fields;
    if (
      typeof streamArn === "string" &&
      typeof generation === "number" &&
      typeof shardId === "string" &&
      typeof offset === "number" &&
      typeof issuedMs === "number"
    ) {
      return { streamArn, generation, shardId, offset, issuedMs };
    }
  }
  throw new ServiceError("InvalidArgumentException", "Invalid ShardIterator.");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not a token of ours
  }
}
