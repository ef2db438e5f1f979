import { TestRecord } from "./list-source.ts";

/** A record that has a place in a partition. */
export class NumberedRecord extends TestRecord {
  readonly partitionId: string;
  readonly recordSequence: bigint;

  constructor(partitionId: string, sequence: number, destinationTopic?: string) {
    super(`${partitionId}/${sequence}`, destinationTopic);
    this.partitionId = partitionId;
    this.recordSequence = BigInt(sequence);
  }
}
