import { LeaseTableOfOtherStreamError, StreamRecreatedError } from "../errors.ts";
import type { Lease, StreamStamp } from "../lease/lease.ts";
import type { Shard } from "./shard.ts";

/** Time stamps of the service may lose their milliseconds on the way. */
const sameMomentMs = 1_000;

/** The table's name and stream, for the messages. */
export interface IdentitySubject {
  readonly tableName: string;
  readonly stamp: StreamStamp;
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
  const listed = new Map(shards.map((shard) => [shard.shardId, shard]));
  const newest =
    shards
      .map((shard) => shard.shardId)
      .sort()
      .at(-1) ?? "";
  for (const lease of leases) {
    checkStamp(lease, subject);
    const why = contradiction(lease, listed.get(lease.shardId), newest);
    if (why === undefined) continue;
    throw lease.streamName === subject.stamp.streamName
      ? recreated(subject, why)
      : ofOtherStream(subject, `its lease ${lease.shardId} ${why}`);
  }
}

/** The error for a stored position that the service says is not the stream's. */
export function positionOfOtherStream(subject: IdentitySubject, shardId: string, cause: unknown): Error {
  return recreated(subject, `it refuses the stored position of ${shardId}`, cause);
}

function checkStamp(lease: Lease, subject: IdentitySubject): void {
  const { stamp } = subject;
  if (lease.streamName !== undefined && lease.streamName !== stamp.streamName) {
    throw ofOtherStream(subject, `it belongs to "${lease.streamName}"`);
  }
  if (lease.shardId.includes(":")) {
    throw ofOtherStream(subject, `it is that of an application with several streams (${lease.shardId})`);
  }
  if (lease.streamCreatedMs === undefined || stamp.streamCreatedMs === undefined) return;
  if (Math.abs(lease.streamCreatedMs - stamp.streamCreatedMs) <= sameMomentMs) return;
  const then = new Date(lease.streamCreatedMs).toISOString();
  const now = new Date(stamp.streamCreatedMs).toISOString();
  throw recreated(subject, `the leases are of the one created at ${then}, this one was created at ${now}`);
}

/** What `lease` says that cannot be said of this stream. */
function contradiction(lease: Lease, shard: Shard | undefined, newest: string): string | undefined {
  const { checkpoint, hashKeyRange } = lease;
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

function ofOtherStream(subject: IdentitySubject, why: string): LeaseTableOfOtherStreamError {
  const { tableName, stamp } = subject;
  return new LeaseTableOfOtherStreamError(
    `the lease table "${tableName}" is not one of the stream "${stamp.streamName}": ${why}`,
    {
      details: { table: tableName, stream: stamp.streamName },
      remedy: "choose another application name: each stream needs its own",
    },
  );
}

function recreated(subject: IdentitySubject, why: string, cause?: unknown): StreamRecreatedError {
  const { tableName, stamp } = subject;
  return new StreamRecreatedError(
    `the stream "${stamp.streamName}" is not the one that the lease table "${tableName}" was made for: ${why}`,
    {
      ...(cause === undefined ? {} : { cause }),
      details: { table: tableName, stream: stamp.streamName },
      remedy:
        "if it was deleted and created anew, stop all workers and delete the lease table; otherwise choose another application name",
    },
  );
}
