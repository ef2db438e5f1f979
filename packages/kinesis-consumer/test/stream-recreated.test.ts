import { describe, expect, it, vi } from "vitest";
import type { Lease } from "../src/lease/lease.ts";
import type { ShardId } from "../src/shard/shard.ts";
import { distinct, idOf, Rig, textsOf, type Worker } from "./support/rig.ts";

// Minutes pass in these tests, and workers come and go: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 60_000 });

const reset = { onStreamRecreated: "reset" } as const;
const latest = { ...reset, initialPosition: { kind: "latest" } } as const;

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

/** A rig whose stream was read to its end by a worker that stopped, deleted, and created anew a minute later. */
async function recreated({ shards, thenShards }: { shards: number; thenShards: number }): Promise<Rig> {
  const rig = new Rig(shards);
  rig.put(20);
  const worker = await rig.start();
  await rig.until(() => worker.records.length === 20);
  await rig.close(worker);
  await rig.pass(60_000);
  rig.model.recreateStream("orders", thenShards);
  rig.table.calls.clear();
  return rig;
}

function change(rig: Rig, index: number, to: Partial<Lease>): void {
  const row = rig.lease(index);
  if (row === undefined) throw new Error(`no lease ${index}`);
  rig.table.rows.set(idOf(index), { ...row, ...to });
}

/** A worker of Java's that renews one lease until it is aborted. */
function renewing(rig: Rig, index: number): AbortController {
  const stopped = new AbortController();
  const renew = async () => {
    for (;;) {
      change(rig, index, { owner: "java", counter: (rig.lease(index)?.counter ?? 0) + 1 });
      await rig.clock.sleep(3_308, stopped.signal);
    }
  };
  renew().catch(() => {});
  return stopped;
}

function texts(workers: readonly Worker[]): readonly string[] {
  return distinct(textsOf(workers.flatMap((worker) => worker.records)));
}

const reads = new Set(["ready", "list", "get"]);

function writes(rig: Rig): readonly string[] {
  return [...rig.table.calls.keys()].filter((method) => !reads.has(method));
}

function expectOnlyNew(rig: Rig, shards: number): void {
  const rows: ReadonlyMap<ShardId, Lease> = rig.table.rows;
  expect([...rows.keys()].sort()).toEqual(Array.from({ length: shards }, (_, index) => idOf(index)));
  for (const row of rows.values()) expect(row.streamCreatedMs).toBe(rig.stream.createdMs);
}
