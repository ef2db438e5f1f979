import type { KinesisRecord } from "../../src/kinesis-record.ts";

/** A topic that keeps of each producer, one for a partition, only what is above the last number it has of it, as Pulsar's does. */
export class DeduplicatingTopic {
  readonly stored: KinesisRecord[] = [];
  readonly #last = new Map<string, bigint>();
  /** Which record has which number: whoever brings it. */
  readonly #meanings = new Map<string, string>();

  /**
   * @returns whether it was stored.
   * @throws when a number means another record than before, or one was left out.
   */
  publish(record: KinesisRecord): boolean {
    const { partitionId, recordSequence } = record;
    if (recordSequence === undefined) throw new Error("the record has no number");
    const meaning = placeOf(record);
    const known = this.#meanings.get(`${partitionId} ${recordSequence}`) ?? meaning;
    if (known !== meaning) {
      throw new Error(`${recordSequence} of ${partitionId} is ${meaning}, and was ${known}`);
    }
    this.#meanings.set(`${partitionId} ${recordSequence}`, meaning);
    const last = this.#last.get(partitionId) ?? -1n;
    if (recordSequence > last + 1n) {
      throw new Error(
        `${recordSequence} of ${partitionId} comes after ${last}: what is between would be dropped`,
      );
    }
    if (recordSequence <= last) return false;
    this.#last.set(partitionId, recordSequence);
    this.stored.push(record);
    return true;
  }
}

/** What a record is, wherever it is read. */
export function placeOf({ shardId, sequenceNumber, subSequenceNumber }: KinesisRecord): string {
  return `${shardId}/${sequenceNumber}/${subSequenceNumber}`;
}
