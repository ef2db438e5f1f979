import { describe, expect, it, vi } from "vitest";
import type { KinesisRecord } from "../src/kinesis-record.ts";
import { aggregateOf } from "./support/kpl-encoder.ts";
import { idOf, Rig, textsOf } from "./support/rig.ts";

// Minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 30_000 });

/** User records with the given texts, all of the first hash key. */
function packed(texts: readonly string[], hashKey = 0n): Buffer {
  return aggregateOf(
    texts.map((text) => ({ partitionKey: `key-${text}`, explicitHashKey: hashKey, data: Buffer.from(text) })),
  );
}

function textOf(record: KinesisRecord): string {
  return Buffer.from(record.data).toString();
}

function positionsOf(records: readonly KinesisRecord[]) {
  return records.map((record) => [textOf(record), record.subSequenceNumber]);
}

describe("StreamConsumer, reading aggregates", () => {
  it("hands out user records with their own key and data, and what is known of the Kinesis record", async () => {
    const rig = new Rig();
    rig.putBytes(Buffer.from("a"), "plain");
    rig.putBytes(packed(["b", "c"]), "outer");
    rig.putBytes(packed(["d"]), "outer");
    const arrived = new Date(rig.clock.now());
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 4);
    expect(worker.records.map(({ partitionKey }) => partitionKey)).toEqual([
      "plain",
      "key-b",
      "key-c",
      "key-d",
    ]);
    expect(positionsOf(worker.records)).toEqual([
      ["a", 0],
      ["b", 0],
      ["c", 1],
      ["d", 0],
    ]);
    const outer = String(rig.placed[1]?.sequenceNumber);
    for (const record of worker.records.slice(1, 3)) {
      expect(record).toMatchObject({ sequenceNumber: outer, arrival: arrived, encryptionType: "NONE" });
    }
    await rig.close(worker);
    expect(rig.lease()?.checkpoint).toEqual({
      kind: "after",
      sequenceNumber: rig.placed[2]?.sequenceNumber,
      subSequenceNumber: 0,
    });
  });

  it("hands out an aggregate as it is when it is told to keep them", async () => {
    const rig = new Rig();
    const data = packed(["a", "b"]);
    rig.putBytes(data, "outer");
    const worker = await rig.start({ aggregates: { kind: "keep" } });
    await rig.until(() => worker.records.length === 1);
    expect(worker.records[0]).toMatchObject({ partitionKey: "outer", subSequenceNumber: 0 });
    expect(Buffer.from(worker.records[0]?.data ?? [])).toEqual(data);
    await rig.close(worker);
  });

  it("drops an aggregate with a key of another shard whole, counts it, and says so once", async () => {
    const rig = new Rig(2);
    const other = 2n ** 127n;
    for (let count = 0; count < 3; count += 1) rig.putBytes(packed(["foreign"], other), "outer", 0n);
    rig.putBytes(packed(["own"], other), "outer", other);
    rig.putBytes(packed(["mine"]), "outer", 0n);
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 2);
    expect(textsOf(worker.records).toSorted()).toEqual(["mine", "own"]);
    expect(rig.meter.value("pulsar_ts_io_kinesis_aggregates_dropped_total", { stream: "orders" })).toBe(3);
    expect(rig.logger.lines.filter(({ message }) => message.includes("KPL aggregate"))).toHaveLength(1);
    await rig.close(worker);
  });

  it("hands such an aggregate out when the filter is off", async () => {
    const rig = new Rig(2);
    rig.putBytes(packed(["foreign"], 2n ** 127n), "outer", 0n);
    const worker = await rig.start({ aggregates: { kind: "split", filterByHashKey: false } });
    await rig.until(() => worker.records.length === 1);
    expect(worker.records[0]).toMatchObject({ shardId: idOf(0) });
    await rig.close(worker);
  });
});
