import { describe, expect, it, vi } from "vitest";
import { idOf, Rig, textsOf, unavailable } from "./support/rig.ts";

// Minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 30_000 });

describe("a lease that another worker took", () => {
  it("ends the reading of its shard within 3.4 s, and what is acknowledged later changes nothing", async () => {
    const rig = new Rig();
    rig.put(5);
    const worker = await rig.start({}, () => false);
    await rig.until(() => worker.records.length === 5);
    steal(rig);
    const stolen = rig.lease();
    await rig.until(() => worker.released.length > 0, 3_400);
    rig.put(5);
    for (const record of worker.records) record.ack();
    await rig.pass(5_000);
    expect(worker.records).toHaveLength(5);
    expect(rig.lease()).toEqual(stolen);
    expect(rig.meter.value("pulsar_ts_io_kinesis_leases_lost_total")).toBe(1);
    expect(worker.released).toEqual([idOf(0)]);
    await rig.close(worker);
    expect(rig.lease()).toEqual(stolen);
  });

  it("takes what is buffered with it, and leaves the other shards alone", async () => {
    const rig = new Rig(2);
    const worker = await rig.start();
    await rig.pass(3_000);
    steal(rig);
    await rig.until(() => worker.released.length > 0);
    rig.put(40);
    await rig.pass(3_000);
    expect(new Set(worker.records.map((record) => record.shardId))).toEqual(new Set([idOf(1)]));
    await rig.close(worker);
  });

  it("is taken again, and read from the stored checkpoint, when it is nobody's any more", async () => {
    const rig = new Rig();
    rig.put(5);
    const worker = await rig.start({}, () => false);
    await rig.until(() => worker.records.length === 5);
    steal(rig);
    await rig.until(() => worker.released.length > 0);
    worker.settle = () => true;
    const row = rig.lease();
    if (row === undefined) throw new Error("no lease");
    rig.table.rows.set(idOf(0), { ...row, owner: undefined, counter: row.counter + 1 });
    await rig.until(() => worker.records.length === 10);
    expect(textsOf(worker.records)).toEqual(["0", "1", "2", "3", "4", "0", "1", "2", "3", "4"]);
    // An acknowledgement of the first reading is none of the second.
    await rig.pass(3_400);
    expect(rig.lease()?.checkpoint.kind).toBe("after");
    await rig.close(worker);
  });
});

describe("a lease that could not be renewed", () => {
  it("survives a table that fails for 6 s, with one line when it begins and one when it ends", async () => {
    const rig = new Rig(4);
    const worker = await rig.start();
    await rig.pass(3_400);
    rig.table.before = (method) => {
      if (method === "write") throw unavailable();
    };
    await rig.pass(6_000);
    rig.table.before = () => {};
    await rig.pass(10_000);
    expect(worker.released).toEqual([]);
    expect(rig.logger.messages("warn")).toEqual(["lease table failing, retrying"]);
    expect(rig.logger.messages("info").filter((text) => text === "lease table recovered")).toHaveLength(1);
    await rig.close(worker);
  });

  it("is given up by itself after 10 s, and nothing is handed out from then on", async () => {
    const rig = new Rig();
    rig.put(3);
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 3);
    await rig.pass(3_400);
    rig.table.before = (method) => {
      if (method === "write" || method === "take" || method === "list") throw unavailable();
    };
    const tookMs = await rig.until(() => worker.released.length > 0);
    expect(tookMs).toBeLessThanOrEqual(10_000);
    rig.put(3);
    await rig.pass(5_000);
    expect(worker.records).toHaveLength(3);
    rig.table.before = () => {};
    await rig.until(() => worker.records.length === 6);
    await rig.close(worker);
  });

  it("is found to be over by a process that was paused, before it hands out another record", async () => {
    const rig = new Rig();
    rig.put(100);
    const worker = rig.worker();
    let opened = false;
    void worker.consumer.open(worker.stop.signal).then(() => {
      opened = true;
    });
    await rig.until(() => opened);
    await rig.pass(1_000);
    expect(worker.consumer.poll()).toBeDefined();
    rig.clock.pause(10_001);
    expect(worker.consumer.poll()).toBeUndefined();
    expect(rig.lease()?.owner).toBeDefined();
    await rig.close(worker);
  });
});

describe("a write whose answer was lost", () => {
  it("is recognised by what it wrote, and costs nothing", async () => {
    const rig = new Rig();
    rig.put(5);
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 5);
    rig.table.lose = () => {
      rig.table.lose = () => undefined;
      return { kind: "failed", error: unavailable(), mayHaveLanded: true };
    };
    await rig.pass(15_000);
    expect(worker.released).toEqual([]);
    expect(rig.lease()?.checkpoint).toMatchObject({
      sequenceNumber: BigInt(worker.records.at(-1)?.sequenceNumber ?? 0),
    });
    await rig.close(worker);
    expect(rig.lease()?.owner).toBeUndefined();
  });

  it("is recognised when it was the release at the end", async () => {
    const rig = new Rig();
    rig.put(5);
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 5);
    worker.stop.abort(new Error("stopped"));
    rig.table.lose = () => {
      rig.table.lose = () => undefined;
      return { kind: "failed", error: unavailable(), mayHaveLanded: true };
    };
    await rig.close(worker);
    expect(rig.logger.messages("warn")).toEqual(["release of a lease failed"]);
    expect(rig.lease()).toMatchObject({ owner: undefined, checkpoint: { kind: "after" } });
    expect(rig.meter.value("pulsar_ts_io_kinesis_leases_lost_total")).toBe(0);
  });
});

function steal(rig: Rig): void {
  const row = rig.lease();
  if (row === undefined) throw new Error("no lease");
  rig.table.rows.set(idOf(0), { ...row, owner: "another", counter: row.counter + 1 });
}
