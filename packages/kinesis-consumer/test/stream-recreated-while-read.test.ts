import { describe, expect, it, vi } from "vitest";
import { change, expectOnlyNew, latest, reset, texts } from "./support/recreated-stream.ts";
import { distinct, Rig, textsOf } from "./support/rig.ts";

// Minutes pass in these tests, and workers come and go: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 60_000 });

describe("a stream that is deleted and created anew while it is read", () => {
  it.each([1, 2, 4])(
    "is read on from its beginning by two workers, with %d shards instead of 2",
    async (shards) => {
      const rig = new Rig(2);
      rig.put(10);
      const workers = await Promise.all([
        rig.start({ ...latest, initialPosition: { kind: "trim-horizon" } }),
        rig.start({ ...latest, instanceId: "1" }),
      ]);
      await rig.until(() => texts(workers).length === 10);
      await rig.pass(30_000);
      rig.model.recreateStream("orders", shards);
      const put = rig.put(20);
      await rig.until(() => texts(workers).length === 30);
      await rig.pass(60_000);
      expect(texts(workers).slice(-20)).toEqual(put);
      expectOnlyNew(rig, shards);
      for (const worker of workers) {
        expect(worker.failure).toBeUndefined();
        await rig.close(worker);
      }
    },
  );

  it("is waited for while it is gone", async () => {
    const rig = new Rig(2);
    rig.put(10);
    const worker = await rig.start(reset);
    await rig.until(() => worker.records.length === 10);
    rig.model.deleteStream("orders");
    await rig.pass(120_000);
    expect(worker.failure).toBeUndefined();
    rig.model.createStream("orders", 2);
    const put = rig.put(10);
    await rig.until(() => worker.records.length === 20);
    expect(distinct(textsOf(worker.records.slice(10)))).toEqual(put);
    expect(worker.released.length).toBeGreaterThanOrEqual(2);
    await rig.close(worker);
  });

  it("ends the run when it does not come back for ten minutes", async () => {
    const rig = new Rig(1);
    rig.put(1);
    const worker = await rig.start(reset);
    await rig.until(() => worker.records.length === 1);
    rig.model.deleteStream("orders");
    await rig.until(() => worker.failure !== undefined, 700_000);
    expect(worker.failure).toMatchObject({ code: "PIO_STREAM_NOT_FOUND" });
    await rig.close(worker);
  });

  it("can be closed while it is waited for", async () => {
    const rig = new Rig(1);
    const worker = await rig.start(reset);
    await rig.pass(5_000);
    rig.model.deleteStream("orders");
    await rig.pass(20_000);
    const startedMs = rig.clock.monotonic();
    await rig.close(worker);
    expect(rig.clock.monotonic() - startedMs).toBeLessThan(1_000);
    expect(rig.lease()?.owner).toBeUndefined();
  });

  it("is noticed when its shards are fewer and no position is left to be refused", async () => {
    const rig = new Rig(2);
    const worker = await rig.start();
    await rig.pass(5_000);
    rig.model.recreateStream("orders", 1);
    await rig.until(() => worker.failure !== undefined, 600_000);
    expect(worker.failure).toMatchObject({ code: "PIO_STREAM_RECREATED" });
    expect(rig.lease(1)?.checkpoint).toEqual({ kind: "trim-horizon" });
    await rig.close(worker);
  });

  it("is noticed by a worker that reads nothing when another one has made the leases anew", async () => {
    const rig = new Rig(1);
    rig.put(1);
    const first = await rig.start();
    await rig.until(() => first.records.length === 1);
    const idle = await rig.start({ instanceId: "1" });
    await rig.pass(5_000);
    await rig.close(first);
    rig.model.recreateStream("orders", 1);
    change(rig, 0, {
      streamCreatedMs: rig.stream.createdMs,
      checkpoint: { kind: "trim-horizon" },
      counter: 99,
    });
    await rig.until(() => idle.failure !== undefined);
    expect(idle.failure).toMatchObject({ code: "PIO_STREAM_RECREATED" });
    expect(rig.lease()).toMatchObject({ streamCreatedMs: rig.stream.createdMs });
    await rig.close(idle);
  });

  it("is not suspected for ever when a position is refused by the stream that it is of", async () => {
    const rig = new Rig(1);
    rig.put(3);
    const worker = await rig.start(reset);
    await rig.until(() => worker.records.length === 3);
    await rig.close(worker);
    const row = rig.lease();
    if (row?.checkpoint.kind !== "after") throw new Error("no position");
    change(rig, 0, {
      checkpoint: { ...row.checkpoint, sequenceNumber: row.checkpoint.sequenceNumber * 1_000n },
    });
    const second = await rig.start(reset);
    await rig.until(() => second.failure !== undefined);
    expect(second.failure).toMatchObject({ code: "PIO_STREAM_RECREATED" });
    await rig.close(second);
  });
});
