import type { AckWindow } from "./shard/ack-window.ts";
import type { RawRecord } from "./shard/kinesis-stream.ts";
import type { ShardId } from "./shard/shard.ts";

const noBytes = new Uint8Array(0);

/** Where a record stands among the deliveries of its shard. */
export interface RecordPlace {
  readonly shardId: ShardId;
  readonly window: AckWindow;
  readonly millisBehindLatest: number;
  readonly partitionId: string;
  /** The number of the first record in the window; `undefined` where records are not numbered. */
  readonly firstNumber: number | undefined;
}

/** One of several records that one Kinesis record brought. */
export interface RecordPart {
  readonly partitionKey: string;
  readonly data: Uint8Array;
  readonly subSequenceNumber: number;
  /** Whether it is the last of them. */
  readonly endsRecord: boolean;
}

/** One user record. The payload is the very memory that the AWS client decoded it into. */
export class KinesisRecord {
  readonly data: Uint8Array;
  readonly partitionKey: string;
  readonly sequenceNumber: string;
  /** 0 unless the record is part of a KPL aggregate. */
  readonly subSequenceNumber: number;
  readonly shardId: string;
  /** When Kinesis stored it, to the millisecond. */
  readonly arrival: Date | undefined;
  /** `NONE` or `KMS`. */
  readonly encryptionType: string;
  /** How far behind the newest record of the shard the answer was that brought this one. */
  readonly millisBehindLatest: number;
  /** The shard; where records are numbered, the application's epoch of it: `<application>/<shard>/<epoch>`. */
  readonly partitionId: string;
  readonly #firstNumber: number | undefined;
  readonly #window: AckWindow;
  readonly #ordinal: number;

  /** @param part which part of `raw` it is; absent: the whole. */
  constructor(raw: RawRecord, place: RecordPlace, part?: RecordPart) {
    this.data = part?.data ?? raw.Data ?? noBytes;
    this.partitionKey = part?.partitionKey ?? raw.PartitionKey ?? "";
    this.sequenceNumber = raw.SequenceNumber ?? "";
    this.subSequenceNumber = part?.subSequenceNumber ?? 0;
    this.shardId = place.shardId;
    this.arrival = raw.ApproximateArrivalTimestamp;
    this.encryptionType = raw.EncryptionType ?? "NONE";
    this.millisBehindLatest = place.millisBehindLatest;
    this.partitionId = place.partitionId;
    this.#firstNumber = place.firstNumber;
    this.#window = place.window;
    this.#ordinal = place.window.deliver(
      this.sequenceNumber,
      this.subSequenceNumber,
      part?.endsRecord ?? true,
    );
  }

  /** Its number in `partitionId`: from 0, without gaps, the same whoever reads it. `undefined` where records are not numbered. */
  get recordSequence(): bigint | undefined {
    return this.#firstNumber === undefined ? undefined : BigInt(this.#firstNumber + this.#ordinal);
  }

  /**
   * The record need not be read again. Safe to repeat; without effect once the shard is lost.
   *
   * A record that is never acknowledged keeps its place: no checkpoint passes it.
   */
  ack(): void {
    this.#window.ack(this.#ordinal);
  }
}
