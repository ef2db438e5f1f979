import { ServiceError } from "./service-error.ts";
import type { Shard } from "./shard.ts";
import type { Stream } from "./stream.ts";

export type ShardFilterType =
  | "AFTER_SHARD_ID"
  | "AT_LATEST"
  | "AT_TIMESTAMP"
  | "AT_TRIM_HORIZON"
  | "FROM_TIMESTAMP"
  | "FROM_TRIM_HORIZON";

export interface ShardFilter {
  readonly type: ShardFilterType;
  readonly shardId?: string | undefined;
  readonly timestampMs?: number | undefined;
}

/**
 * The shards of a stream that pass a filter, in the order of their ids.
 *
 * @throws ServiceError InvalidArgumentException when the filter lacks what its type needs.
 * @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ShardFilter.html
 */
export function filterShards(stream: Stream, filter: ShardFilter, nowMs: number): readonly Shard[] {
  const shards = stream.shards(nowMs);
  // Nothing is older than the stream, so its horizon is not either.
  const horizon = Math.max(stream.trimHorizon(nowMs), stream.createdMs);
  switch (filter.type) {
    case "FROM_TRIM_HORIZON":
      return shards;
    case "AT_LATEST":
      return shards.filter((shard) => shard.open);
    case "AT_TRIM_HORIZON":
      return shards.filter((shard) => openAt(stream, shard, horizon));
    case "AT_TIMESTAMP": {
      // Unlike FROM_TIMESTAMP it is taken at its word, however early.
      const at = required(filter.timestampMs, "Timestamp", filter.type);
      return shards.filter((shard) => openAt(stream, shard, at));
    }
    case "FROM_TIMESTAMP": {
      const from = required(filter.timestampMs, "Timestamp", filter.type);
      return shards.filter((shard) => shard.closedMs === undefined || shard.closedMs >= from);
    }
    case "AFTER_SHARD_ID": {
      const after = required(filter.shardId, "ShardId", filter.type);
      return shards.filter((shard) => shard.id > after);
    }
    default:
      return filter.type satisfies never;
  }
}

/**
 * Half open, so that a split does not show parent and children at one instant: every instant covers each hash key once.
 * At the instant of the stream's creation it is the shards it was created with, even if they were split in the same millisecond.
 */
function openAt(stream: Stream, shard: Shard, ms: number): boolean {
  if (ms === stream.createdMs) return shard.parentIds.length === 0;
  return shard.createdMs <= ms && (shard.closedMs === undefined || shard.closedMs > ms);
}

function required<T>(value: T | undefined, member: string, type: ShardFilterType): T {
  if (value !== undefined) return value;
  throw new ServiceError("InvalidArgumentException", `ShardFilter of type ${type} needs ${member}.`);
}

/** What the token of a next page stands for. */
export interface PageToken {
  readonly streamArn: string;
  readonly filter: ShardFilter | undefined;
  /** The last shard of the page before. */
  readonly after: string;
  readonly issuedMs: number;
}

/** AWS: a NextToken of ListShards expires after 300 seconds. */
const pageTokenLifeMs = 300_000;

export function encodePageToken(token: PageToken): string {
  return Buffer.from(JSON.stringify(token)).toString("base64");
}

/** @throws ServiceError InvalidArgumentException, ExpiredNextTokenException */
export function decodePageToken(text: string, nowMs: number): PageToken {
  const token = parse(text);
  if (token === undefined) throw new ServiceError("InvalidArgumentException", "NextToken is invalid.");
  if (nowMs - token.issuedMs > pageTokenLifeMs) {
    throw new ServiceError("ExpiredNextTokenException", "NextToken has expired.");
  }
  return token;
}

function parse(text: string): PageToken | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64").toString());
    const ours = typeof value === "object" && value !== null && "after" in value && "issuedMs" in value;
    return ours ? (value as PageToken) : undefined; // ours: nobody else makes such tokens
  } catch {
    return undefined;
  }
}
