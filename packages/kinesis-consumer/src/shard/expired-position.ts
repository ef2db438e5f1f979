import type { Logger } from "@pulsar-ts-io/core";
import { describeCheckpoint } from "../checkpoint.ts";
import type { Lease } from "../lease/lease.ts";
import type { RecordPage } from "./kinesis-stream.ts";

/** Told of stored positions whose records are not there any more. */
export interface ExpiryMeter {
  positionExpired(): void;
}

/**
 * Says that the record at the checkpoint has expired, if it has: the service then begins with the oldest one, without a word. KCL says
 * nothing either.
 *
 * @param first the first page with records that was read from the checkpoint on.
 */
export function tellIfExpired(
  { shardId, checkpoint }: Lease,
  first: RecordPage,
  { meter, logger }: { readonly meter: ExpiryMeter; readonly logger: Logger },
): void {
  const [oldest] = first.records;
  if (checkpoint.kind !== "after" || oldest?.SequenceNumber === undefined) return;
  if (BigInt(oldest.SequenceNumber) <= checkpoint.sequenceNumber) return;
  meter.positionExpired();
  const position = describeCheckpoint(checkpoint);
  const oldestArrival = oldest.ApproximateArrivalTimestamp?.toISOString();
  logger.warn(
    { shardId, position, oldestArrival },
    "the record at the stored position has expired, and what came after it may have too",
  );
}
