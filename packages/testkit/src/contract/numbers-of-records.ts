import assert from "node:assert/strict";
import type { SourceRecord } from "@pulsar-ts-io/core";
import { textOf } from "./numbered-records.ts";

/** What a source calls its records by, life after life: Pulsar takes for a repetition what has a number that is not larger than the last. */
export class NumbersOfRecords {
  readonly #replayable: boolean;
  readonly #ofRecord = new Map<string, string>();
  readonly #last = new Map<string, bigint>();

  /** @param replayable whether a value that comes again is the same record; else it was put again. */
  constructor(replayable: boolean) {
    this.#replayable = replayable;
  }

  /** @param records of one life, in order. @throws AssertionError when a number means another record, or a record has another number. */
  see(records: readonly SourceRecord[]): void {
    for (const record of records) {
      const { partitionId, recordSequence } = record;
      if (partitionId === undefined || recordSequence === undefined) continue;
      const text = textOf(record);
      const number = `${recordSequence} of ${partitionId}`;
      const before = this.#replayable ? this.#ofRecord.get(text) : undefined;
      if (before !== undefined) {
        assert.equal(number, before, `${text} came again with another number`);
        continue;
      }
      const last = this.#last.get(partitionId);
      assert.ok(
        last === undefined || recordSequence > last,
        `${text} is new, and has number ${number} after ${last}: with effectively once it would be lost`,
      );
      this.#ofRecord.set(text, number);
      this.#last.set(partitionId, recordSequence);
    }
  }
}
