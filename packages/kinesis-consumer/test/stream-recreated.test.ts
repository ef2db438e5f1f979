import { describe, expect, it, vi } from "vitest";
import {
  change,
  expectOnlyNew,
  latest,
  recreated,
  renewing,
  reset,
  texts,
  writes,
} from "./support/recreated-stream.ts";
import { distinct, idOf, Rig, textsOf } from "./support/rig.ts";

// Minutes pass in these tests, and workers come and go: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 60_000 });

describe("a start on the leases of a stream that was deleted", () => {
  it.each([reset, latest])(
    "reads the new stream from its beginning when it may reset: %j",
    async (options) => {
      const rig = await recreated({ shards: 2, thenShards: 3 });
      const put = rig.put(30);
      await rig.pass(10_000);
      const worker = await rig.start(options);
      await rig.until(() => worker.records.length === 30);
      expect(distinct(textsOf(worker.records))).toEqual(put);
      await rig.pass(5_000);
      expect(worker.records).toHaveLength(30);
      expectOnlyNew(rig, 3);
      await rig.close(worker);
    },
  );

  it("reads from the time of the config when that is the initial position", async () => {
    const rig = await recreated({ shards: 1, thenShards: 1 });
    rig.put(5);
    await rig.pass(60_000);
    const epochMs = rig.clock.now();
    await rig.pass(1_000);
    const put = rig.put(5);
    const worker = await rig.start({ ...reset, initialPosition: { kind: "at-timestamp", epochMs } });
    await rig.until(() => worker.records.length === 5);
    expect(textsOf(worker.records)).toEqual(put);
    await rig.close(worker);
  });

  it("reads the new stream's shards that were split before the start, parents first", async () => {
    const rig = await recreated({ shards: 2, thenShards: 1 });
    const before = rig.put(10);
    rig.stream.split(idOf(0), 2n ** 127n, rig.clock.now());
    const after = rig.put(10);
    const worker = await rig.start(latest);
    await rig.until(() => worker.records.length === 20);
    expect(distinct(textsOf(worker.records))).toEqual([...before, ...after]);
    await rig.close(worker);
  });

  it("needs no other leave when nobody was there yet", async () => {
    const rig = new Rig(1);
    const put = rig.put(1);
    const worker = await rig.start(reset);
    await rig.until(() => worker.records.length === 1);
    expect(textsOf(worker.records)).toEqual(put);
    expect(rig.table.calls.get("replace")).toBeUndefined();
    await rig.close(worker);
  });

  it("makes room for shards whose namesakes were finished, Java's rows among them", async () => {
    const rig = await recreated({ shards: 2, thenShards: 2 });
    const put = rig.put(20);
    // A row of Java's that says nothing the new stream's could not: it ends a shard that is open.
    change(rig, 1, { checkpoint: { kind: "shard-end" }, streamName: undefined, streamCreatedMs: undefined });
    change(rig, 0, { checkpoint: { kind: "shard-end" } });
    const worker = await rig.start(reset);
    await rig.until(() => worker.records.length === 20);
    expect(distinct(textsOf(worker.records))).toEqual(put);
    expectOnlyNew(rig, 2);
    await rig.close(worker);
  });

  it("leaves the positions that the new stream's rows have already", async () => {
    const rig = await recreated({ shards: 2, thenShards: 2 });
    const put = rig.put(20);
    const first = await rig.start(reset);
    await rig.until(() => first.records.length === 20);
    await rig.close(first);
    const kept = rig.lease(0);
    const created = rig.stream.createdMs;
    change(rig, 1, { streamCreatedMs: created - 90_000 });
    const second = await rig.start(reset);
    const ofOne = rig.placed.slice(-20).filter(({ shardId }) => shardId === idOf(1));
    await rig.until(() => second.records.length === ofOne.length);
    await rig.pass(5_000);
    expect(second.records.every((record) => record.shardId === idOf(1))).toBe(true);
    expect(rig.lease(0)?.checkpoint).toEqual(kept?.checkpoint);
    expect(distinct(textsOf([...first.records, ...second.records]))).toEqual(put);
    await rig.close(second);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])(
    "loses nothing and leaves no row behind when one of three workers dies after its call %d of the table",
    async (deadly) => {
      const rig = await recreated({ shards: 4, thenShards: 3 });
      const put = rig.put(60);
      const workers = ["1", "2", "3"].map((instanceId) => rig.worker({ ...latest, instanceId }));
      const [victim] = workers;
      if (victim === undefined) throw new Error("no worker");
      let calls = 0;
      rig.table.before = () => {
        if (rig.caller?.workerId !== victim.consumer.workerId) return;
        calls += 1;
        if (calls === deadly) victim.kill();
      };
      for (const worker of workers) void rig.launch(worker);
      const living = () => workers.filter((worker) => worker !== victim);
      await rig.until(() => texts(workers).length === 60);
      await rig.until(() =>
        living().every((worker) => worker.consumer.status().length > 0 || calls < deadly),
      );
      expect(texts(workers)).toEqual(put);
      expectOnlyNew(rig, 3);
      for (const worker of calls < deadly ? workers : living()) await rig.close(worker);
    },
  );

  const calls = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  it.each([
    ...calls.map((call) => ({ call, shards: 4, thenShards: 2 })),
    ...calls.map((call) => ({ call, shards: 2, thenShards: 4 })),
  ])(
    "takes up what a worker left that died after its call $call of the table, with $thenShards shards for $shards",
    async ({ call: deadly, ...sizes }) => {
      const rig = await recreated(sizes);
      change(rig, sizes.shards - 1, { streamName: undefined, streamCreatedMs: undefined });
      const put = rig.put(20);
      const victim = rig.worker(latest);
      let made = 0;
      rig.table.before = () => {
        made += 1;
        if (made === deadly) victim.kill();
      };
      void rig.launch(victim);
      await rig.pass(20_000);
      expect(made).toBeGreaterThanOrEqual(deadly);
      const second = await rig.start({ ...latest, instanceId: "1" });
      await rig.until(() => texts([victim, second]).length === 20);
      expect(texts([victim, second])).toEqual(put);
      expectOnlyNew(rig, sizes.thenShards);
      await rig.close(second);
    },
  );

  it("waits for the worker that still renews a lease, and writes nothing before it is gone", async () => {
    const rig = await recreated({ shards: 2, thenShards: 2 });
    const put = rig.put(10);
    const java = renewing(rig, 1);
    const worker = rig.worker(reset);
    void rig.launch(worker);
    await rig.pass(30_000);
    expect(writes(rig)).toEqual([]);
    java.abort();
    await rig.until(() => worker.records.length === 10);
    expect(distinct(textsOf(worker.records))).toEqual(put);
    await rig.close(worker);
  });

  it("gives up after a minute, naming the worker that goes on with the former leases", async () => {
    const rig = await recreated({ shards: 2, thenShards: 2 });
    const java = renewing(rig, 1);
    await expect(rig.start(reset)).rejects.toMatchObject({
      code: "PIO_STREAM_RECREATED",
      message: expect.stringContaining("its worker java lives"),
      remedy: expect.stringContaining("stop that worker"),
    });
    expect(writes(rig)).toEqual([]);
    java.abort();
  });

  it("leaves a table alone where workers of KCL 3 live, until they show no sign of life", async () => {
    const rig = await recreated({ shards: 1, thenShards: 1 });
    const put = rig.put(1);
    const beat = (leaderBeat: string) => {
      rig.kcl3.clientVersion = "CLIENT_VERSION_3X";
      rig.kcl3.leaderBeat = `java ${leaderBeat}`;
      rig.kcl3.metricsSeconds.set("java", Math.floor(rig.clock.now() / 1_000));
    };
    beat("a");
    const worker = rig.worker(reset);
    void rig.launch(worker);
    await rig.pass(15_000);
    beat("b");
    await rig.pass(15_000);
    expect(writes(rig)).toEqual([]);
    await rig.until(() => worker.records.length === 1);
    expect(textsOf(worker.records)).toEqual(put);
    await rig.close(worker);
  });

  it("is refused by default, and the error names the option", async () => {
    const rig = await recreated({ shards: 1, thenShards: 1 });
    await expect(rig.start()).rejects.toMatchObject({
      code: "PIO_STREAM_RECREATED",
      remedy: expect.stringContaining("set onStreamRecreated to reset"),
    });
    expect(writes(rig)).toEqual([]);
  });

  it("is refused when the stream's age may not be asked, for then no row can be told from the others", async () => {
    const rig = await recreated({ shards: 1, thenShards: 1 });
    rig.service.faults.deny("DescribeStreamSummary");
    await expect(rig.start(reset)).rejects.toMatchObject({
      code: "PIO_STREAM_RECREATED",
      remedy: expect.stringContaining("kinesis:DescribeStreamSummary"),
    });
    expect(writes(rig)).toEqual([]);
  });

  it("waits its turn when a whole fleet asks for the stream's age", async () => {
    const rig = await recreated({ shards: 1, thenShards: 1 });
    const put = rig.put(1);
    rig.service.faults.refuse("DescribeStreamSummary", "LimitExceededException", { count: 20 });
    const worker = await rig.start(reset);
    await rig.until(() => worker.records.length === 1);
    expect(textsOf(worker.records)).toEqual(put);
    await rig.close(worker);
  });

  it("never touches the rows of a newer stream of the name, or those of a stream of another name", async () => {
    const rig = await recreated({ shards: 2, thenShards: 2 });
    const later = rig.stream.createdMs + 90_000;
    change(rig, 1, { streamCreatedMs: later });
    await expect(rig.start(reset)).rejects.toMatchObject({ code: "PIO_STREAM_RECREATED" });
    change(rig, 1, { streamName: "payments" });
    await expect(rig.start(reset)).rejects.toMatchObject({ code: "PIO_LEASE_TABLE_OF_OTHER_STREAM" });
    const java = { streamName: undefined, streamCreatedMs: undefined };
    change(rig, 0, java);
    change(rig, 1, java);
    await expect(rig.start(reset)).rejects.toMatchObject({ code: "PIO_LEASE_TABLE_OF_OTHER_STREAM" });
    expect(writes(rig)).toEqual([]);
  });
});
