import { describe, expect, it, vi } from "vitest";
import type { ReadPosition } from "../src/shard/kinesis-stream.ts";
import { aggregateOf } from "./support/kpl-encoder.ts";
import { NumberedRig, numbersOf, partitionOf } from "./support/numbered-rig.ts";
import { idOf, textsOf, type Worker } from "./support/rig.ts";

// Minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 30_000 });

describe("the records of a shard", () => {
  it("are numbered from 0 in an epoch of their own, which is on the row before the first is handed out", async () => {
    const rig = new NumberedRig(2);
    rig.put(20);
    const unwritten: string[] = [];
    const worker = await rig.publishing({}, ({ shardId, partitionId }) => {
      const row = [...rig.table.rows.values()].find((lease) => lease.shardId === shardId);
      if (partitionId !== `orders-app/${shardId}/${row?.numbering?.epoch}`) unwritten.push(partitionId);
      return false;
    });
    await rig.until(() => worker.records.length === 20);
    expect(unwritten).toEqual([]);
    for (const id of [idOf(0), idOf(1)]) {
      const own = worker.records.filter((record) => record.shardId === id);
      expect(own.length).toBeGreaterThan(0);
      expect(numbersOf(own)).toEqual(own.map((_record, index) => index));
    }
    expect(rig.epochs("none-stored")).toBe(2);
    expect(rig.logger.linesOf("the records of a shard are numbered from 0")).toHaveLength(2);
    await rig.close(worker);
  });

  it("have no numbers, and no partition but their shard, where that is not wanted; nor has the row", async () => {
    const rig = new NumberedRig();
    rig.put(3);
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 3);
    await rig.close(worker);
    expect(worker.records.map((record) => record.recordSequence)).toEqual([undefined, undefined, undefined]);
    expect(partitionOf(worker)).toBe(idOf(0));
    expect(worker.released).toEqual([idOf(0)]);
    expect(rig.lease()?.numbering).toBeUndefined();
    expect(rig.epochs()).toBe(0);
  });

  it("get the same numbers from whoever reads them again after a crash", async () => {
    const rig = new NumberedRig();
    rig.put(10);
    const first = await rig.publishing({}, (record) => Number(record.recordSequence) < 4);
    await rig.until(() => first.records.length === 10);
    await rig.pass(4_000);
    expect(rig.lease()?.numbering?.base).toEqual({ kind: "ordinal", ordinal: 3 });
    first.kill();
    const put = rig.put(2);
    const second = await rig.publishing();
    await rig.until(() => second.records.length === 8);
    expect(numbersOf(second.records)).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
    expect(partitionOf(first, second)).toMatch(/^orders-app\/shardId-000000000000\/[0-9a-f-]{36}$/);
    expect(textsOf(rig.topic.stored)).toEqual([...textsOf(first.records), ...put]);
    expect(rig.epochs()).toBe(1);
    await rig.close(second);
  });

  it("go on with their numbers after a clean stop, whatever comes in the meantime", async () => {
    const rig = new NumberedRig();
    rig.put(3);
    const first = await rig.readOnce(3);
    rig.put(4);
    const second = await rig.readOnce(4);
    expect(numbersOf(second.records)).toEqual([3, 4, 5, 6]);
    partitionOf(first, second);
  });

  it.each([
    { position: "TRIM_HORIZON", initialPosition: () => ({ kind: "trim-horizon" }) as const },
    { position: "LATEST", initialPosition: () => ({ kind: "latest" }) as const },
    {
      position: "AT_TIMESTAMP",
      initialPosition: (epochMs: number) => ({ kind: "at-timestamp", epochMs }) as const,
    },
  ])("start from 0 at the same record after a crash before the first checkpoint: $position", async (one) => {
    const rig = new NumberedRig();
    rig.put(5);
    await rig.pass(60_000);
    const options = { initialPosition: one.initialPosition(rig.clock.now()) };
    const first = await rig.publishing(options, () => false);
    rig.put(5);
    const count = one.position === "TRIM_HORIZON" ? 10 : 5;
    await rig.until(() => first.records.length === count);
    await rig.pass(4_000);
    first.kill();
    expect(rig.lease()?.checkpoint.kind).not.toBe("after");
    rig.put(1);
    const opened = openingsOf(rig);
    const second = await rig.publishing(options);
    await rig.until(() => second.records.length === count + 1);
    const { sequenceNumber } = first.records[0] ?? {};
    expect(opened).toEqual([{ kind: "at-sequence", sequenceNumber }]);
    expect(numbersOf(second.records)).toEqual([...numbersOf(first.records), count]);
    expect(textsOf(second.records).slice(0, count)).toEqual(textsOf(first.records));
    partitionOf(first, second);
    expect(rig.topic.stored).toHaveLength(count + 1);
    await rig.close(second);
  });

  it("keep their numbers inside of aggregates, and from a checkpoint inside of one on", async () => {
    const rig = new NumberedRig();
    for (const from of [0, 5, 10]) rig.putBytes(packed(from, 5), "outer");
    const first = await rig.publishing({}, (record) => Number(record.recordSequence) < 7);
    await rig.until(() => first.records.length === 15);
    await rig.pass(4_000);
    expect(rig.lease()?.numbering?.base).toEqual({ kind: "ordinal", ordinal: 4 });
    await rig.pass(72_000);
    expect(rig.lease()?.numbering).toMatchObject({
      belongsTo: { subSequenceNumber: 1 },
      base: { kind: "ordinal", ordinal: 6 },
    });
    first.kill();
    const second = await rig.publishing();
    await rig.until(() => second.records.length === 8);
    expect(numbersOf(second.records)).toEqual([7, 8, 9, 10, 11, 12, 13, 14]);
    expect(textsOf(rig.topic.stored)).toEqual(Array.from({ length: 15 }, (_, index) => String(index)));
    partitionOf(first, second);
    await rig.close(second);
  });

  it("do not count an aggregate that is dropped, read again or not", async () => {
    const rig = new NumberedRig(2);
    rig.putBytes(packed(0, 2), "outer");
    rig.putBytes(packed(2, 2, 2n ** 128n - 1n), "outer");
    rig.putBytes(packed(4, 2), "outer");
    const first = await rig.readAndDie(4);
    const second = await rig.readOnce(4);
    expect(numbersOf(second.records)).toEqual([0, 1, 2, 3]);
    expect(textsOf(second.records)).toEqual(["0", "1", "4", "5"]);
    partitionOf(first, second);
  });

  it("keep their numbers when the lease changes hands between workers that live", async () => {
    const rig = new NumberedRig(4);
    rig.put(100);
    const first = await rig.publishing({ instanceId: "a" });
    await rig.until(() => first.records.length === 100);
    const second = await rig.publishing({ instanceId: "b" });
    await rig.until(() => held(second) === 2, 60_000);
    rig.put(100);
    await rig.until(() => rig.topic.stored.length === 200);
    expect(first.records.length + second.records.length).toBe(200);
    expect(second.records.length).toBeGreaterThan(0);
    expect(rig.epochs()).toBe(4);
    await rig.close(first);
    await rig.close(second);
  });

  it("keep their numbers when one slept through the loss of its lease, and both publish", async () => {
    const rig = new NumberedRig();
    const put = [...rig.put(10)];
    const first = await rig.publishing({ instanceId: "a" }, () => false);
    await rig.until(() => first.records.length === 10);
    first.clock.stop();
    const second = await rig.publishing({ instanceId: "b" });
    await rig.until(() => second.records.length === 10);
    put.push(...rig.put(10));
    first.clock.resume();
    await rig.until(() => second.records.length === 20);
    expect(textsOf(rig.topic.stored)).toEqual(put);
    partitionOf(first, second);
    await rig.close(first);
    await rig.close(second);
  });
});

/** Where shards are opened from now on. */
function openingsOf(rig: NumberedRig): readonly ReadPosition[] {
  const opened: ReadPosition[] = [];
  rig.through = (stream) => ({
    createdMs: (signal) => stream.createdMs(signal),
    listShards: (from, signal) => stream.listShards(from, signal),
    serviceTimeMs: () => stream.serviceTimeMs(),
    getRecords: (...args) => stream.getRecords(...args),
    openIterator: (id, position, signal) => {
      opened.push(position);
      return stream.openIterator(id, position, signal);
    },
  });
  return opened;
}

function held(worker: Worker): number {
  return worker.consumer.status().length;
}

/** An aggregate of the texts of `count` numbers from `from` on. */
function packed(from: number, count: number, lastHashKey = 0n): Buffer {
  return aggregateOf(
    Array.from({ length: count }, (_, index) => ({
      partitionKey: "inner",
      explicitHashKey: index === count - 1 ? lastHashKey : 0n,
      data: Buffer.from(String(from + index)),
    })),
  );
}
