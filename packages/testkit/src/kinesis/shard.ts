import type { HashRange } from "./hash-range.ts";
import { RecordLog } from "./record-log.ts";
import { sequenceNumber, sequenceParts } from "./sequence-number.ts";

/** A record as it is put. */
export interface PutEntry {
  readonly partitionKey: string;
  /** The payload in base64. */
  readonly data: string;
  /** Of the payload. */
  readonly dataBytes: number;
}

export interface ShardOrigin {
  readonly number: number;
  readonly range: HashRange;
  /** None, one (split) or two (merge); of two the adjacent parent is the second. */
  readonly parentIds: readonly string[];
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
  /** Seconds since the epoch, larger than those of every older shard: see {@link sequenceNumber}. */
  readonly createdStamp: number;
}

/** One shard: a range of hash keys, and the records that fell into it while it was open. */
export class Shard {
  readonly id: string;
  readonly range: HashRange;
  readonly parentIds: readonly string[];
  readonly createdMs: number;
  readonly log: RecordLog = new RecordLog();
  readonly #origin: ShardOrigin;
  readonly #watchers = new Set<() => void>();
  #lastArrivalMs: number;
  #closed:
    | { readonly atMs: number; readonly childIds: readonly string[]; readonly ending: bigint }
    | undefined;

  constructor(origin: ShardOrigin) {
    this.#origin = origin;
    this.id = `shardId-${String(origin.number).padStart(12, "0")}`;
    this.range = origin.range;
    this.parentIds = origin.parentIds;
    this.createdMs = origin.createdMs;
    this.#lastArrivalMs = origin.createdMs;
  }

  get open(): boolean {
    return this.#closed === undefined;
  }

  /** When it was closed, milliseconds since the epoch. */
  get closedMs(): number | undefined {
    return this.#closed?.atMs;
  }

  get childIds(): readonly string[] {
    return this.#closed?.childIds ?? [];
  }

  get startingSequenceNumber(): bigint {
    return this.#sequenceNumber(0, this.#origin.createdMs);
  }

  /** Above that of every record; of a closed shard only. */
  get endingSequenceNumber(): bigint | undefined {
    return this.#closed?.ending;
  }

  /** Stores a record of an open shard; returns its sequence number. */
  append(entry: PutEntry, nowMs: number): bigint {
    // Arrival times never fall within a shard, whatever the wall clock does.
    const arrivedMs = Math.max(nowMs, this.#lastArrivalMs);
    this.#lastArrivalMs = arrivedMs;
    const sequence = this.#sequenceNumber(this.log.end + 1, arrivedMs);
    const key = JSON.stringify(entry.partitionKey);
    const seconds = (arrivedMs / 1_000).toFixed(3);
    this.log.append(
      `{"SequenceNumber":"${sequence}","ApproximateArrivalTimestamp":${seconds},"Data":"${entry.data}","PartitionKey":${key}}`,
      arrivedMs,
      entry.dataBytes + Buffer.byteLength(entry.partitionKey),
    );
    this.#tell();
    return sequence;
  }

  close(nowMs: number, childIds: readonly string[]): void {
    const atMs = Math.max(nowMs, this.#lastArrivalMs);
    this.#closed = { atMs, childIds, ending: this.#sequenceNumber(this.log.end + 1, atMs) };
    this.#tell();
  }

  /** Calls `listener` whenever there is a record more, and when the shard ends. @returns what stops that. */
  watch(listener: () => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  /** Where to go on reading before the record at `offset`; it may be the number of no record. */
  continuation(offset: number, nowMs: number): bigint {
    return this.#sequenceNumber(offset, Math.max(nowMs, this.#lastArrivalMs));
  }

  /**
   * Offset of the first record whose number is at least `sequence`, or above it with `after`; `undefined` when the
   * number is of another shard, or of a stream of this name that is no more.
   */
  seek(sequence: bigint, after: boolean): number | undefined {
    const parts = sequenceParts(sequence);
    const { createdStamp, number } = this.#origin;
    if (parts === undefined || parts.shardCreated !== createdStamp || parts.shardNumber !== number)
      return undefined;
    const offset = Math.max(0, parts.index - 1);
    const arrivedMs = this.log.arrivedAt(offset);
    // A record that is trimmed, or that is yet to come: reading starts at what there is.
    if (arrivedMs === undefined) return offset;
    const there = this.#sequenceNumber(offset + 1, arrivedMs);
    return sequence < there || (sequence === there && !after) ? offset : offset + 1;
  }

  #tell(): void {
    for (const listener of this.#watchers) listener();
  }

  #sequenceNumber(index: number, arrivedMs: number): bigint {
    const { createdStamp, number } = this.#origin;
    const arrived = Math.min(Math.floor(arrivedMs / 1_000), 2 ** 36 - 1);
    return sequenceNumber({ shardCreated: createdStamp, index, arrived, shardNumber: number });
  }
}
