import { LeaseTableOfOtherStreamError, StreamRecreatedError } from "../errors.ts";
import type { Lease, StreamStamp } from "../lease/lease.ts";
import type { Shard, ShardId } from "./shard.ts";

/** Time stamps of the service may lose their milliseconds on the way. */
const sameMomentMs = 1_000;
const recreatedRemedy =
  "if it was deleted and created anew, set onStreamRecreated to reset (it needs kinesis:DescribeStreamSummary), or stop all workers and delete the lease table; otherwise choose another application name";
const otherRemedy = "choose another application name: each stream needs its own";
/** Of rows that do not say whose they are: Java's. */
const unnamedRemedy = `${otherRemedy}; if the leases are those of a stream of this name that was deleted and created anew, stop all workers and delete the lease table`;

/** The table's name and stream, for the messages. */
export interface IdentitySubject {
  readonly tableName: string;
  readonly stamp: StreamStamp;
}

/** Whether a stream was created before or after the one of `stamp`; 0 when it is that one, or one of the two times is not known. */
export function compareCreation(createdMs: number | undefined, stamp: StreamStamp): number {
  if (createdMs === undefined || stamp.streamCreatedMs === undefined) return 0;
  const ms = createdMs - stamp.streamCreatedMs;
  return Math.abs(ms) <= sameMomentMs ? 0 : ms;
}

/**
 * Checks that the leases are leases of this stream.
 *
 * Ours carry the stream's name and age. Rows that a Java worker wrote do not: they are known by shard ids, hash key ranges and
 * sequence numbers that this stream cannot have.
 *
 * @throws LeaseTableOfOtherStreamError (`PIO_LEASE_TABLE_OF_OTHER_STREAM`), StreamRecreatedError (`PIO_STREAM_RECREATED`).
 */
export function checkStreamIdentity(
  leases: readonly Lease[],
  shards: readonly Shard[],
  subject: IdentitySubject,
): void {
  const listed = listedShards(shards);
  for (const lease of leases) {
    checkStreamName(lease, subject);
    checkStreamCreation(lease.streamCreatedMs, subject);
    const why = contradiction(lease, listed);
    if (why === undefined) continue;
    throw lease.streamName === subject.stamp.streamName
      ? recreated(subject, why)
      : ofOtherStream(subject, `its lease ${lease.shardId} ${why}`, unnamedRemedy);
  }
}

/** @throws LeaseTableOfOtherStreamError (`PIO_LEASE_TABLE_OF_OTHER_STREAM`) when the row names another stream. */
export function checkStreamName(lease: Lease, subject: IdentitySubject): void {
  const { stamp } = subject;
  if (lease.streamName !== undefined && lease.streamName !== stamp.streamName) {
    throw ofOtherStream(subject, `it belongs to "${lease.streamName}"`);
  }
  if (lease.shardId.includes(":")) {
    throw ofOtherStream(subject, `it is that of an application with several streams (${lease.shardId})`);
  }
}

/** @throws StreamRecreatedError (`PIO_STREAM_RECREATED`) when `createdMs` is another stream's than the subject's. */
export function checkStreamCreation(createdMs: number | undefined, subject: IdentitySubject): void {
  const { streamCreatedMs } = subject.stamp;
  if (createdMs === undefined || streamCreatedMs === undefined) return;
  if (compareCreation(createdMs, subject.stamp) === 0) return;
  const leases = new Date(createdMs).toISOString();
  const stream = new Date(streamCreatedMs).toISOString();
  throw recreated(
    subject,
    `the leases are of the one created at ${leases}, this one was created at ${stream}`,
  );
}

/** The shards that there are, by id, and the newest id. */
export interface ListedShards {
  readonly byId: ReadonlyMap<ShardId, Shard>;
  readonly newest: string;
}

export function listedShards(shards: readonly Shard[]): ListedShards {
  const byId = new Map(shards.map((shard) => [shard.shardId, shard]));
  return { byId, newest: [...byId.keys()].sort().at(-1) ?? "" };
}

/** The error for a stored position that the service says is not the stream's. */
export function positionOfOtherStream(subject: IdentitySubject, shardId: string, cause: unknown): Error {
  return recreated(subject, `it refuses the stored position of ${shardId}`, { cause });
}

/** What `lease` says that cannot be said of this stream. */
export function contradiction(lease: Lease, { byId, newest }: ListedShards): string | undefined {
  const { checkpoint, hashKeyRange } = lease;
  const shard = byId.get(lease.shardId);
  if (shard === undefined) {
    // Old shards disappear with their records; newer ones than the newest cannot.
    return newest !== "" && lease.shardId > newest
      ? `is of a shard newer than the newest, ${newest}`
      : undefined;
  }
  const sameRange =
    hashKeyRange === undefined ||
    (hashKeyRange.start === shard.hashKeyRange.start && hashKeyRange.end === shard.hashKeyRange.end);
  if (!sameRange) return "has another range of hash keys than that shard";
  if (checkpoint.kind === "after" && checkpoint.sequenceNumber < shard.startingSequenceNumber) {
    return "has a position older than that shard";
  }
  return undefined;
}

function ofOtherStream(
  subject: IdentitySubject,
  why: string,
  remedy: string = otherRemedy,
): LeaseTableOfOtherStreamError {
  const { tableName, stamp } = subject;
  return new LeaseTableOfOtherStreamError(
    `the lease table "${tableName}" is not one of the stream "${stamp.streamName}": ${why}`,
    { details: { table: tableName, stream: stamp.streamName }, remedy },
  );
}

/** The error for leases of a stream that is no more. */
export function recreated(
  subject: IdentitySubject,
  why: string,
  { cause, remedy = recreatedRemedy }: { readonly cause?: unknown; readonly remedy?: string } = {},
): StreamRecreatedError {
  const { tableName, stamp } = subject;
  return new StreamRecreatedError(
    `the stream "${stamp.streamName}" is not the one that the lease table "${tableName}" was made for: ${why}`,
    {
      ...(cause === undefined ? {} : { cause }),
      details: { table: tableName, stream: stamp.streamName },
      remedy,
    },
  );
}
