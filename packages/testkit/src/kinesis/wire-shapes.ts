import type { Shard } from "./shard.ts";
import type { Stream } from "./stream.ts";

/** Timestamps travel as seconds with fractions. */
export function wireTime(ms: number): number {
  return ms / 1_000;
}

export function wireShardRange(shard: Shard): unknown {
  return { StartingHashKey: String(shard.range.start), EndingHashKey: String(shard.range.end) };
}

export function wireShard(shard: Shard): unknown {
  const [parent, adjacent] = shard.parentIds;
  const ending = shard.endingSequenceNumber;
  return {
    ShardId: shard.id,
    ...(parent === undefined ? {} : { ParentShardId: parent }),
    ...(adjacent === undefined ? {} : { AdjacentParentShardId: adjacent }),
    HashKeyRange: wireShardRange(shard),
    SequenceNumberRange: {
      StartingSequenceNumber: String(shard.startingSequenceNumber),
      ...(ending === undefined ? {} : { EndingSequenceNumber: String(ending) }),
    },
  };
}

/** What DescribeStream and DescribeStreamSummary have in common. */
export function wireStream(stream: Stream, nowMs: number): Readonly<Record<string, unknown>> {
  return {
    StreamName: stream.name,
    StreamARN: stream.arn,
    StreamStatus: stream.status(nowMs),
    StreamModeDetails: { StreamMode: "PROVISIONED" },
    RetentionPeriodHours: stream.retentionHours,
    StreamCreationTimestamp: wireTime(stream.createdMs),
    EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
    EncryptionType: "NONE",
  };
}
