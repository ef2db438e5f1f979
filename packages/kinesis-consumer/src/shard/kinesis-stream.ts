import type { StartPosition } from "@pulsar-ts-io/core";
import type { ChildShard, Shard, ShardId } from "./shard.ts";

/** Where to open a shard. Never "latest": what is put while nobody looks would be lost. */
export type ReadPosition =
  | { readonly kind: "trim-horizon" }
  | { readonly kind: "at-timestamp"; readonly epochMs: number }
  | { readonly kind: "at-sequence"; readonly sequenceNumber: string }
  | { readonly kind: "after-sequence"; readonly sequenceNumber: string };

/** A record with the names of the service's answer: pages are handed on as they were decoded, without a copy. */
export interface RawRecord {
  readonly Data?: Uint8Array | undefined;
  readonly PartitionKey?: string | undefined;
  readonly SequenceNumber?: string | undefined;
  readonly ApproximateArrivalTimestamp?: Date | undefined;
  readonly EncryptionType?: string | undefined;
}

/** One answer of GetRecords. */
export interface RecordPage {
  /** The consumer empties it when it takes them in: the page may be referred to for longer than its payloads are needed. */
  readonly records: RawRecord[];
  /** Absent: nothing follows, which is only the shard's end when `children` says so. */
  readonly next: string | undefined;
  readonly millisBehindLatest: number;
  readonly children: readonly ChildShard[];
}

/**
 * One stream, as the consumer needs it. Every call makes one attempt and rejects with a coded error.
 *
 * All of them: StreamNotFoundError, or ShardNotFoundError where a shard was named, and the errors `PIO_AWS_…`.
 */
export interface KinesisStream {
  /** All shards, or those that matter to one who starts at `from`: open ones, and closed ones with records after it. */
  listShards(from: StartPosition | undefined, signal: AbortSignal): Promise<readonly Shard[]>;
  /** When the stream was created, milliseconds since the epoch; `undefined` when the service does not say. */
  createdMs(signal: AbortSignal): Promise<number | undefined>;
  /** @throws PositionRefusedError (`PIO_POSITION_REFUSED`) when the position is none of this shard. */
  openIterator(shardId: ShardId, position: ReadPosition, signal: AbortSignal): Promise<string>;
  /**
   * @param limit 1 to 10 000.
   * @throws IteratorExpiredError (`PIO_ITERATOR_EXPIRED`).
   */
  getRecords(shardId: ShardId, iterator: string, limit: number, signal: AbortSignal): Promise<RecordPage>;
  /** The service's own time, milliseconds since the epoch, carried on from its last answer; ours before the first. */
  serviceTimeMs(): number;
}
