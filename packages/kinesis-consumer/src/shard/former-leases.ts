import type { Lease } from "../lease/lease.ts";
import type { Shard } from "./shard.ts";
import {
  checkStreamCreation,
  checkStreamName,
  compareCreation,
  contradiction,
  type IdentitySubject,
  type ListedShards,
  listedShards,
} from "./stream-identity.ts";

/**
 * The rows that a deleted stream has left in the table of the one which has its name now, those that prove it last: while any row
 * is left to be dealt with, one that proves it is.
 *
 * The proof is a row of ours with this stream's name that was written for an older one. Once there is one, a row that does not say
 * for which of the two it was written, as Java's do not, is this stream's only if its position is. Rows of Java alone prove
 * nothing: they may be another stream's. And without the stream's age nothing is certain.
 *
 * @throws LeaseTableOfOtherStreamError (`PIO_LEASE_TABLE_OF_OTHER_STREAM`), StreamRecreatedError (`PIO_STREAM_RECREATED`) when
 *   rows were written for a stream that is newer than the one asked about.
 */
export function formerLeases(
  leases: readonly Lease[],
  shards: readonly Shard[],
  subject: IdentitySubject,
): readonly Lease[] {
  const { stamp } = subject;
  if (stamp.streamCreatedMs === undefined) return [];
  for (const lease of leases) {
    checkStreamName(lease, subject);
    if (compareCreation(lease.streamCreatedMs, stamp) > 0)
      checkStreamCreation(lease.streamCreatedMs, subject);
  }
  const listed = listedShards(shards);
  const proves = (lease: Lease) => lease.streamName !== undefined && isContradicted(lease, listed, subject);
  const proofs = leases.filter(proves);
  if (proofs.length === 0) return [];
  const others = leases.filter((lease) => !(proves(lease) || isCertain(lease, listed, subject)));
  return [...others, ...proofs];
}

function isContradicted(lease: Lease, listed: ListedShards, { stamp }: IdentitySubject): boolean {
  if (lease.streamCreatedMs !== undefined) return compareCreation(lease.streamCreatedMs, stamp) < 0;
  return contradiction(lease, listed) !== undefined;
}

/** Whether `lease` can only be of this stream. Sequence numbers grow with time: the older stream has none of its range. */
function isCertain(lease: Lease, listed: ListedShards, { stamp }: IdentitySubject): boolean {
  if (lease.streamCreatedMs !== undefined) return compareCreation(lease.streamCreatedMs, stamp) === 0;
  const { checkpoint, shardId } = lease;
  return (
    checkpoint.kind === "after" && listed.byId.has(shardId) && contradiction(lease, listed) === undefined
  );
}
