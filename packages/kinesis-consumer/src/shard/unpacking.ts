import type { Clock, Logger, Outage } from "@pulsar-ts-io/core";
import type { UserRecord } from "../aggregate/deaggregate.ts";
import { type AggregateMeter, Deaggregator } from "../aggregate/deaggregator.ts";
import type { AggregateHandling } from "../consumer-options.ts";
import { unlessAborted } from "../joined-signal.ts";
import type { Lease } from "../lease/lease.ts";
import type { KinesisStream, RawRecord } from "./kinesis-stream.ts";
import { numberingVersion } from "./shard-numbering.ts";
import { findHashKeyRange } from "./shard-range.ts";
import type { WaitingSigns } from "./waiting-signs.ts";

/** How the records of one shard are unpacked. */
export interface Unpacking {
  /** The user records in an aggregate; `undefined` for a record that is delivered as it is. */
  readonly unpack: (raw: RawRecord) => readonly UserRecord[] | undefined;
  /** See {@link numberingVersion}. */
  readonly version: string;
}

export interface UnpackingOptions {
  readonly aggregates: AggregateHandling;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: AggregateMeter;
  readonly outage: Outage;
  readonly signs: WaitingSigns;
}

/** Finds out what the shard's aggregates are held against. Asked with its first page and not before: a shard that is gone is not listed either. */
export async function findUnpacking(
  lease: Lease,
  stream: KinesisStream,
  options: UnpackingOptions,
  signal: AbortSignal,
): Promise<Unpacking> {
  const { aggregates, clock, logger, meter, outage, signs } = options;
  if (aggregates.kind === "keep") {
    return { unpack: () => undefined, version: numberingVersion(aggregates, undefined) };
  }
  if (aggregates.filterByHashKey) signs.waiting();
  const range = aggregates.filterByHashKey
    ? await unlessAborted(findHashKeyRange(lease, stream, { clock, outage, signs, signal }), signal)
    : undefined;
  const deaggregator = new Deaggregator(lease.shardId, logger, { range, meter });
  return {
    unpack: (raw) => deaggregator.userRecords(raw),
    version: numberingVersion(aggregates, range),
  };
}
