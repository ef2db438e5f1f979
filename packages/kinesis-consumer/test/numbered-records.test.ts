import { describe, expect, it, vi } from "vitest";
import type { ConsumerOptions } from "../src/consumer-options.ts";
import type { KinesisRecord } from "../src/kinesis-record.ts";
import { idOf, Rig, textsOf } from "./support/rig.ts";

vi.setConfig({ testTimeout: 30_000 });

const numbered: Partial<ConsumerOptions> = { numberRecords: true };

describe("the records of a shard", () => {
  it("are numbered from 0 in an epoch of their own, which is on the row before the first is handed out", async () => {
    const rig = new Rig(2);
    rig.put(20);
    const worker = await rig.start(numbered, (record) => {
      expect(epochOf(rig, record.shardId)).toBe(record.partitionId.split("/")[2]);
      return false;
    });
    await rig.until(() => worker.records.length === 20);
    for (const id of [idOf(0), idOf(1)]) {
      const own = worker.records.filter((record) => record.shardId === id);
      expect(own.length).toBeGreaterThan(0);
      expect(numbersOf(own)).toEqual(own.map((_record, index) => index));
      expect(new Set(own.map((record) => record.partitionId))).toEqual(
        new Set([`orders-app/${id}/${epochOf(rig, id)}`]),
      );
    }
    await rig.close(worker);
  });

  it("get the same numbers from whoever reads them again after a crash", async () => {
    const rig = new Rig();
    rig.put(10);
    const first = await rig.start(numbered, (record) => Number(record.recordSequence) < 4);
    await rig.until(() => first.records.length === 10);
    await rig.pass(4_000);
    expect(rig.lease()?.numbering?.base).toEqual({ kind: "ordinal", ordinal: 3 });
    first.kill();
    rig.put(2);
    const second = await rig.start(numbered);
    await rig.until(() => second.records.length === 8);
    expect(numbersOf(second.records)).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
    expect(textsOf(second.records)).toEqual(["4", "5", "6", "7", "8", "9", "10", "11"]);
    expect(new Set([...first.records, ...second.records].map((record) => record.partitionId)).size).toBe(1);
    await rig.close(second);
  });
});

function numbersOf(records: readonly KinesisRecord[]): readonly number[] {
  return records.map((record) => Number(record.recordSequence));
}

function epochOf(rig: Rig, shardId: string): string | undefined {
  return [...rig.table.rows.values()].find((lease) => lease.shardId === shardId)?.numbering?.epoch;
}
