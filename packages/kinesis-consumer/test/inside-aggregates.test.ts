import { describe, expect, it, vi } from "vitest";
import type { KinesisRecord } from "../src/kinesis-record.ts";
import { aggregateOf } from "./support/kpl-encoder.ts";
import { idOf, Rig, textsOf } from "./support/rig.ts";

// Minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 30_000 });

/** User records with the given texts, all of one hash key. */
function packed(some: readonly string[], hashKey = 0n): Buffer {
  return mixed(
    some,
    some.map(() => hashKey),
  );
}

/** User records with the given texts, each with its own hash key. */
function mixed(some: readonly string[], hashKeys: readonly bigint[]): Buffer {
  return aggregateOf(
    some.map((text, index) => ({
      partitionKey: `key-${text}`,
      explicitHashKey: hashKeys[index],
      data: Buffer.from(text),
    })),
  );
}

/** The texts of the numbers from `first` up to `end`. */
function texts(first: number, end: number): string[] {
  return Array.from({ length: end - first }, (_, index) => String(first + index));
}

function textOf(record: KinesisRecord): string {
  return Buffer.from(record.data).toString();
}

function positionsOf(records: readonly KinesisRecord[]) {
  return records.map((record) => [textOf(record), record.subSequenceNumber]);
}

function after(sequenceNumber: bigint | undefined, subSequenceNumber: number) {
  return { kind: "after", sequenceNumber, subSequenceNumber };
}

describe("StreamConsumer, in the middle of an aggregate", () => {
  it("stores the end of the last whole aggregate with a renewal, and nothing inside of one for a minute", async () => {
    const rig = new Rig();
    rig.putBytes(packed(texts(0, 5)), "outer");
    rig.putBytes(packed(texts(5, 10)), "outer");
    const worker = await rig.start({}, (record) => textOf(record) !== "8");
    await rig.until(() => worker.records.length === 10);
    await rig.pass(50_000);
    const [first, second] = rig.placed;
    expect(rig.lease()?.checkpoint).toEqual(after(first?.sequenceNumber, 4));
    await rig.pass(20_000);
    expect(rig.lease()?.checkpoint).toEqual(after(second?.sequenceNumber, 2));
    await rig.pass(70_000);
    expect(rig.lease()?.checkpoint).toEqual(after(second?.sequenceNumber, 2));
    worker.records[8]?.ack();
    await rig.pass(3_400);
    expect(rig.lease()?.checkpoint).toEqual(after(second?.sequenceNumber, 4));
    await rig.close(worker);
  });

  it("never goes back to the end of an aggregate from a checkpoint inside the next one", async () => {
    const rig = new Rig();
    rig.putBytes(packed(texts(0, 2)), "outer");
    rig.putBytes(packed(texts(2, 8)), "outer");
    const worker = await rig.start({}, (record) => Number(textOf(record)) < 4);
    await rig.until(() => worker.records.length === 8);
    const seen: string[] = [];
    for (let round = 0; round < 60; round += 1) {
      await rig.pass(3_400);
      if (round === 30) worker.records[4]?.ack();
      const checkpoint = rig.lease()?.checkpoint;
      const text =
        checkpoint?.kind === "after" ? `${checkpoint.sequenceNumber}/${checkpoint.subSequenceNumber}` : "";
      if (seen.at(-1) !== text) seen.push(text);
    }
    const [first, second] = rig.placed.map(({ sequenceNumber }) => String(sequenceNumber));
    expect(seen).toEqual([`${first}/1`, `${second}/1`, `${second}/2`]);
    await rig.close(worker);
  });

  it("repeats the aggregate from its start after a crash within the minute, and loses nothing", async () => {
    const rig = new Rig();
    rig.putBytes(packed(texts(0, 3)), "outer");
    rig.putBytes(packed(texts(3, 10)), "outer");
    rig.putBytes(Buffer.from("10"), "plain");
    const first = await rig.start({}, (record) => Number(textOf(record)) < 6);
    await rig.until(() => first.records.length === 11);
    await rig.pass(4_000);
    first.kill();
    const second = await rig.start();
    await rig.until(() => second.records.length === 8);
    expect(textsOf(second.records)).toEqual(texts(3, 11));
    expect(second.records.map(({ subSequenceNumber }) => subSequenceNumber)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 0,
    ]);
    await rig.close(second);
  });

  it("goes on at the very user record after a checkpoint inside an aggregate, however often it must open the shard", async () => {
    const rig = new Rig();
    rig.putBytes(packed(texts(0, 10)), "outer");
    rig.putBytes(Buffer.from("10"), "plain");
    const first = await rig.start({}, (record) => Number(textOf(record)) < 6);
    await rig.until(() => first.records.length === 11);
    await rig.pass(70_000);
    first.kill();
    rig.service.faults.refuse("GetRecords", "ExpiredIteratorException", { count: 3 });
    const second = await rig.start();
    await rig.until(() => second.records.length === 5);
    expect(positionsOf(second.records)).toEqual([
      ["6", 6],
      ["7", 7],
      ["8", 8],
      ["9", 9],
      ["10", 0],
    ]);
    await rig.pass(4_000);
    expect(rig.lease()?.checkpoint).toEqual(after(rig.placed[1]?.sequenceNumber, 0));
    await rig.close(second);
  });

  it("hands out nothing more of an aggregate whose lease is lost, and stores nothing of it", async () => {
    const rig = new Rig();
    rig.putBytes(Buffer.from("0"), "plain");
    rig.putBytes(packed(texts(1, 8)), "outer");
    const worker = rig.worker();
    let opened = false;
    void worker.consumer.open(worker.stop.signal).then(() => {
      opened = true;
    });
    await rig.until(() => opened);
    const records: KinesisRecord[] = [];
    await rig.until(() => {
      const record = records.length < 4 ? worker.consumer.poll() : undefined;
      if (record !== undefined) records.push(record);
      return records.length === 4;
    });
    records[0]?.ack();
    await rig.pass(4_000);
    const lease = rig.lease();
    if (lease === undefined) throw new Error("there is no lease");
    rig.table.rows.set(lease.shardId, { ...lease, owner: "another", counter: lease.counter + 1 });
    for (const record of records) record.ack();
    await rig.pass(4_000);
    expect(worker.consumer.poll()).toBeUndefined();
    expect(rig.lease()).toMatchObject({
      owner: "another",
      checkpoint: after(rig.placed[0]?.sequenceNumber, 0),
    });
    await rig.close(worker);
  });

  it("reads a parent's last aggregate to its end before the children, and drops what they got for another shard", async () => {
    const rig = new Rig();
    const upper = 2n ** 127n;
    rig.putBytes(packed(texts(0, 4)), "outer");
    rig.stream.split(idOf(0), upper, rig.clock.now());
    // Packed before the producer knew of the split: records of both children, landed on one.
    rig.putBytes(mixed(["4", "5"], [0n, upper]), "outer", 0n);
    rig.putBytes(packed(["4"]), "outer", 0n);
    rig.putBytes(packed(["5"], upper), "outer", upper);
    const first = await rig.start({}, (record) => Number(textOf(record)) < 2);
    await rig.until(() => first.records.length === 4);
    await rig.pass(10_000);
    expect(first.records).toHaveLength(4);
    first.kill();
    const second = await rig.start();
    await rig.until(() => second.records.length === 6);
    await rig.pass(5_000);
    expect(textsOf(second.records).slice(0, 4)).toEqual(texts(0, 4));
    expect(textsOf(second.records).slice(4).toSorted()).toEqual(["4", "5"]);
    await rig.close(second);
  });

  it("takes the hash keys from the listing where the row has none, and waits for it", async () => {
    const rig = new Rig(2);
    const before = await rig.start();
    await rig.until(() => rig.lease(1)?.owner !== undefined && rig.lease(0)?.owner !== undefined);
    await rig.close(before);
    for (const lease of [...rig.table.rows.values()]) {
      rig.table.rows.set(lease.shardId, { ...lease, hashKeyRange: undefined });
    }
    rig.putBytes(packed(["foreign"], 2n ** 127n), "outer", 0n);
    rig.putBytes(packed(["mine"]), "outer", 0n);
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 1);
    expect(textsOf(worker.records)).toEqual(["mine"]);
    await rig.close(worker);
  });

  it("counts user records and their bytes, so that room is given back to the last byte", async () => {
    const rig = new Rig();
    const put: string[] = [];
    for (let count = 0; count < 400; count += 1) {
      const some = texts(put.length, put.length + (count % 7));
      rig.putBytes(count % 7 === 0 ? packed(["foreign"], 2n ** 128n) : packed(some), "outer");
      put.push(...some);
    }
    // Room for a few: a leak of one record for each page would stop the reading for good.
    const worker = await rig.start({ maxBufferedRecords: 8, maxBufferedBytes: 64 });
    await rig.until(() => worker.records.length === put.length, 600_000);
    expect(textsOf(worker.records)).toEqual(put);
    await rig.close(worker);
  });
});
