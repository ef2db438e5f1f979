import {
  decodePageToken,
  encodePageToken,
  filterShards,
  type ShardFilter,
  type ShardFilterType,
} from "./list-shards.ts";
import type { OperationContext } from "./operation-context.ts";
import type { RequestFields } from "./request-fields.ts";
import { ServiceError } from "./service-error.ts";
import type { Stream } from "./stream.ts";
import { wireShard, wireStream } from "./wire-shapes.ts";

const none = {};

export function createStream(context: OperationContext): unknown {
  const { fields, model, region } = context;
  model.createStream(context.streamName(), fields.optionalInteger("ShardCount", 1, 100_000) ?? 4, region);
  return none;
}

export function deleteStream(context: OperationContext): unknown {
  const stream = context.stream();
  if (stream.consumers.list().length > 0 && !context.fields.optionalBoolean("EnforceConsumerDeletion")) {
    throw new ServiceError(
      "ResourceInUseException",
      `Stream ${stream.name} under account ${context.model.accountId} has consumers, and EnforceConsumerDeletion is not set.`,
    );
  }
  context.model.deleteStream(stream.name, context.region);
  return none;
}

export function listStreams(context: OperationContext): unknown {
  return { StreamNames: context.model.streamNames(context.region), HasMoreStreams: false };
}

export function describeStreamSummary(context: OperationContext): unknown {
  const { nowMs } = context;
  const stream = context.stream();
  const open = stream.shards(nowMs).filter((shard) => shard.open).length;
  return {
    StreamDescriptionSummary: {
      ...wireStream(stream, nowMs),
      OpenShardCount: open,
      ConsumerCount: stream.consumers.list().length,
    },
  };
}

export function describeStream(context: OperationContext): unknown {
  const { fields, nowMs } = context;
  const stream = context.stream();
  const limit = fields.optionalInteger("Limit", 1, 10_000) ?? 100;
  const after = fields.optionalString("ExclusiveStartShardId") ?? "";
  const shards = stream.shards(nowMs).filter((shard) => shard.id > after);
  return {
    StreamDescription: {
      ...wireStream(stream, nowMs),
      Shards: shards.slice(0, limit).map(wireShard),
      HasMoreShards: shards.length > limit,
    },
  };
}

const filterTypes: readonly ShardFilterType[] = [
  "AFTER_SHARD_ID",
  "AT_LATEST",
  "AT_TIMESTAMP",
  "AT_TRIM_HORIZON",
  "FROM_TIMESTAMP",
  "FROM_TRIM_HORIZON",
];

/** @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListShards.html */
export function listShards(context: OperationContext): unknown {
  const { fields, nowMs } = context;
  const { stream, filter, after } = page(context);
  const limit = fields.optionalInteger("MaxResults", 1, 10_000) ?? 1_000;
  const listed = filterShards(stream, filter ?? { type: "FROM_TRIM_HORIZON" }, nowMs);
  const rest = listed.filter((shard) => shard.id > after);
  const shown = rest.slice(0, limit);
  const last = shown.at(-1);
  const more = last !== undefined && rest.length > shown.length;
  return {
    Shards: shown.map(wireShard),
    ...(more
      ? { NextToken: encodePageToken({ streamArn: stream.arn, filter, after: last.id, issuedMs: nowMs }) }
      : {}),
  };
}

interface Page {
  readonly stream: Stream;
  readonly filter: ShardFilter | undefined;
  /** Shards up to this id were listed. */
  readonly after: string;
}

function page(context: OperationContext): Page {
  const { fields, model, nowMs } = context;
  const token = fields.optionalString("NextToken");
  if (token === undefined) {
    return {
      stream: context.stream(),
      filter: shardFilter(fields),
      after: fields.optionalString("ExclusiveStartShardId") ?? "",
    };
  }
  if (fields.has("StreamName") || fields.has("StreamARN")) {
    throw new ServiceError(
      "InvalidArgumentException",
      "NextToken and StreamName cannot be provided together.",
    );
  }
  const { streamArn, filter, after } = decodePageToken(token, nowMs);
  return { stream: model.streamByArn(streamArn), filter, after };
}

function shardFilter(fields: RequestFields): ShardFilter | undefined {
  const filter = fields.optionalObject("ShardFilter");
  if (filter === undefined) return undefined;
  return {
    type: filter.choice("Type", filterTypes),
    shardId: filter.optionalString("ShardId"),
    timestampMs: filter.optionalTimestampMs("Timestamp"),
  };
}

export function splitShard(context: OperationContext): unknown {
  const { fields, nowMs } = context;
  const at = fields.optionalHashKey("NewStartingHashKey");
  if (at === undefined) throw new ServiceError("ValidationException", "NewStartingHashKey must not be null");
  context.activeStream().split(fields.string("ShardToSplit"), at, nowMs);
  return none;
}

export function mergeShards(context: OperationContext): unknown {
  const { fields, nowMs } = context;
  context.activeStream().merge(fields.string("ShardToMerge"), fields.string("AdjacentShardToMerge"), nowMs);
  return none;
}

/** AWS: 24 hours to 365 days. */
const maxRetentionHours = 8_760;

export function increaseRetention(context: OperationContext): unknown {
  return changeRetention(context, (hours, now) => hours < now, "greater");
}

export function decreaseRetention(context: OperationContext): unknown {
  return changeRetention(context, (hours, now) => hours > now, "less");
}

function changeRetention(
  context: OperationContext,
  wrong: (hours: number, now: number) => boolean,
  direction: string,
): unknown {
  const stream = context.activeStream();
  const hours = context.fields.integer("RetentionPeriodHours", 24, maxRetentionHours);
  if (wrong(hours, stream.retentionHours)) {
    throw new ServiceError(
      "InvalidArgumentException",
      `Requested retention period (${hours} hours) must be ${direction} than or equal to the current one (${stream.retentionHours} hours).`,
    );
  }
  stream.setRetention(hours);
  return none;
}
