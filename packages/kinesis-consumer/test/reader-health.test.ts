import { describe, expect, it, vi } from "vitest";
import { AwsUnavailableError, ShardNotFoundError } from "../src/errors.ts";
import type { KinesisStream } from "../src/shard/kinesis-stream.ts";
import { MemoryFanOut } from "./support/memory-fan-out.ts";
import { distinct, idOf, Rig, textsOf, type Worker } from "./support/rig.ts";

// Hours pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 60_000 });

const forever = Number.POSITIVE_INFINITY;
const fanOut = { kind: "fan-out", consumerName: "orders-app" } as const;

class FanOutRig extends Rig {
  override readonly fanOut: MemoryFanOut = new MemoryFanOut(this.stream, this.clock);
}

const activityOf = (worker: Worker) => worker.consumer.status().map(({ activity }) => activity);
const restarts = (rig: Rig) => rig.meter.value("pulsar_ts_io_kinesis_reader_restarts_total");
const givenUp = (rig: Rig) => rig.meter.value("pulsar_ts_io_kinesis_leases_given_up_total");
const changes = (rig: Rig) =>
  rig.logger
    .linesOf("shard readers have changed state")
    .filter(({ level }) => level !== "debug")
    .map(({ fields }) => `${fields["from"]} > ${fields["to"]}`);

/** The same stream, but for one method, whose promise does not settle while `silent` says so: not even when it is told to stop. */
function deaf(rig: Rig, method: "getRecords" | "listShards" | "openIterator", silent: () => boolean): void {
  rig.through = (stream) =>
    new Proxy<KinesisStream>(stream, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) =>
          key === method && silent() ? new Promise(() => {}) : Reflect.apply(value, target, args);
      },
    });
}

describe("a stuck reader", () => {
  it.each(["getRecords", "openIterator"] as const)(
    "is restarted after a minute when %s never settles, and loses nothing",
    async (method) => {
      const rig = new Rig();
      let silent = false;
      let hits = 0;
      deaf(rig, method, () => {
        hits += silent ? 1 : 0;
        return silent;
      });
      const worker = await rig.start();
      const texts = [...rig.put(5)];
      await rig.until(() => worker.records.length === 5);
      expect(worker.consumer.status().reduce((sum, { received = 0 }) => sum + received, 0)).toBe(5);
      silent = true;
      // An iterator lives for four minutes: it expires to have a new one opened.
      if (method === "openIterator") rig.service.faults.refuse("GetRecords", "ExpiredIteratorException");
      await rig.until(() => hits === 1);
      texts.push(...rig.put(5));
      silent = false;
      await rig.pass(55_000);
      expect(worker.records).toHaveLength(5);
      const tookMs = await rig.until(() => worker.records.length === 10);
      expect(tookMs).toBeLessThan(15_000);
      expect(textsOf(worker.records)).toEqual(texts);
      expect(restarts(rig)).toBe(1);
      await rig.pass(10_000);
      expect(changes(rig)).toEqual([expect.stringMatching(/ > stuck$/), "stuck > idle"]);
      expect(activityOf(worker)).toEqual(["idle"]);
      await rig.close(worker);
    },
  );

  it.each(["getRecords", "openIterator"] as const)(
    "leaves the room to the other shards that it had set aside when %s never settles",
    async (method) => {
      const rig = new Rig(3);
      let hung = 0;
      deaf(rig, method, () => {
        hung += 1;
        return hung <= 5;
      });
      const worker = await rig.start({ maxBufferedRecords: 4 });
      const texts = rig.put(60);
      await rig.until(() => worker.records.length === 60, 600_000);
      expect(distinct(textsOf(worker.records))).toEqual(texts);
      await rig.close(worker);
    },
  );

  it("has its lease given up after two minutes, and another worker takes it; this one does not for a minute", async () => {
    const rig = new Rig();
    let silent = true;
    deaf(rig, "getRecords", () => silent);
    const first = await rig.start();
    const owner = rig.lease()?.owner;
    expect(owner).toBeDefined();
    silent = true;
    await rig.pass(115_000);
    expect(rig.lease()?.owner).toBe(owner);
    expect(activityOf(first)).toEqual(["stuck"]);
    await rig.until(() => rig.lease()?.owner === undefined);
    expect(restarts(rig)).toBe(3);
    expect(givenUp(rig)).toBe(1);
    expect(first.released).toEqual([idOf(0)]);
    await rig.pass(55_000);
    expect(rig.lease()?.owner).toBeUndefined();
    silent = false;
    const texts = rig.put(4);
    const second = await rig.start({ instanceId: "1" });
    await rig.until(() => second.records.length === 4);
    expect(textsOf(second.records)).toEqual(texts);
    expect(first.failure).toBeUndefined();
    await rig.close(first);
    await rig.close(second);
  });

  it("is tried anew by the only worker there is, a minute after the lease was given up", async () => {
    const rig = new Rig();
    let silent = true;
    deaf(rig, "getRecords", () => silent);
    const worker = await rig.start();
    await rig.until(() => givenUp(rig) === 1, 180_000);
    silent = false;
    const texts = rig.put(3);
    const tookMs = await rig.until(() => worker.records.length === 3);
    expect(tookMs).toBeGreaterThan(50_000);
    expect(textsOf(worker.records)).toEqual(texts);
    await rig.close(worker);
  });

  it("has what it read before acknowledged and stored when its lease is given up", async () => {
    const rig = new Rig();
    let silent = false;
    deaf(rig, "getRecords", () => silent);
    const worker = await rig.start({}, () => false);
    rig.put(3);
    await rig.until(() => worker.records.length === 3);
    silent = true;
    await rig.until(() => givenUp(rig) === 1, 200_000);
    await rig.pass(2_000);
    expect(rig.lease()?.owner).toBeDefined();
    for (const record of worker.records) record.ack();
    await rig.until(() => rig.lease()?.owner === undefined);
    expect(rig.lease()?.checkpoint).toMatchObject({ sequenceNumber: rig.placed[2]?.sequenceNumber });
    await rig.close(worker);
  });

  it("reads no further once its lease is given up, also when its call is answered after all", async () => {
    const rig = new Rig();
    const late: (() => void)[] = [];
    let silent = false;
    rig.through = (stream) => ({
      createdMs: (signal) => stream.createdMs(signal),
      listShards: (from, signal) => stream.listShards(from, signal),
      serviceTimeMs: () => stream.serviceTimeMs(),
      openIterator: (...args) => stream.openIterator(...args),
      getRecords: async (id, iterator, limit) => {
        if (silent) await new Promise<void>((answer) => late.push(answer));
        return await stream.getRecords(id, iterator, limit, new AbortController().signal);
      },
    });
    const worker = await rig.start({}, () => false);
    rig.put(3);
    await rig.until(() => worker.records.length === 3);
    silent = true;
    await rig.until(() => late.length === 1);
    rig.put(3);
    await rig.until(() => givenUp(rig) === 1, 200_000);
    silent = false;
    for (const answer of late) answer();
    await rig.pass(15_000);
    expect(worker.records).toHaveLength(3);
    expect(rig.lease()?.owner).toBeDefined();
    for (const record of worker.records) record.ack();
    await rig.until(() => rig.lease()?.owner === undefined);
    expect(rig.lease()?.checkpoint).toMatchObject({ sequenceNumber: rig.placed[2]?.sequenceNumber });
    await rig.close(worker);
  });

  it("does not keep a worker from closing and releasing its lease", async () => {
    const rig = new Rig();
    deaf(rig, "getRecords", () => true);
    const worker = await rig.start();
    await rig.pass(5_000);
    const before = rig.clock.monotonic();
    await rig.close(worker);
    expect(rig.clock.monotonic() - before).toBeLessThan(1_000);
    expect(rig.lease()?.owner).toBeUndefined();
  });

  it("is one whose iterator leads to nothing and no further", async () => {
    const rig = new Rig();
    let standing = true;
    rig.through = (stream) => ({
      createdMs: (signal) => stream.createdMs(signal),
      listShards: (from, signal) => stream.listShards(from, signal),
      serviceTimeMs: () => stream.serviceTimeMs(),
      openIterator: (id, position, signal) => {
        standing = restarts(rig) === 0;
        return stream.openIterator(id, position, signal);
      },
      getRecords: async (id, iterator, limit, signal) => {
        const page = await stream.getRecords(id, iterator, limit, signal);
        return standing ? { records: [], next: iterator, millisBehindLatest: 9_000, children: [] } : page;
      },
    });
    const texts = rig.put(3);
    const worker = await rig.start();
    const tookMs = await rig.until(() => worker.records.length === 3);
    expect(tookMs).toBeGreaterThan(55_000);
    expect(textsOf(worker.records)).toEqual(texts);
    await rig.close(worker);
  });
});

describe("a reader that waits for something else than records", () => {
  /** A worker on a shard that was split and read to its end, at the place where `method` of the table is not answered. */
  async function splitRig(method: string, ofShard: number, hung: () => boolean) {
    const rig = new Rig();
    let silent = 0;
    rig.table.before = (called, id) => {
      if (called !== method || id !== idOf(ofShard) || !hung()) return;
      silent += 1;
      return new Promise<void>(() => {});
    };
    const worker = await rig.start();
    rig.put(3);
    await rig.until(() => worker.records.length === 3);
    rig.stream.split(idOf(0), 2n ** 127n, rig.clock.now());
    await rig.until(() => silent > 0);
    return { rig, worker };
  }

  it.each([
    ["whether its parent has ended", "get", 0],
    ["whether the children have leases", "get", 1],
    ["to note the children", "setChildren", 0],
  ] as const)(
    "is restarted after a minute when nobody answers the question %s",
    async (_what, method, of) => {
      let hung = true;
      const { rig, worker } = await splitRig(method, of, () => hung);
      hung = false;
      await rig.pass(50_000);
      expect(restarts(rig)).toBe(0);
      expect(activityOf(worker)).toContain("waiting");
      await rig.until(() => restarts(rig) > 0, 15_000);
      await rig.until(() => rig.lease(0)?.checkpoint.kind === "shard-end", 10_000);
      const texts = rig.put(6);
      await rig.until(() => worker.records.length === 9, 30_000);
      expect(distinct(textsOf(worker.records)).slice(3)).toEqual(texts);
      expect(givenUp(rig)).toBe(0);
      await rig.pass(10_000);
      expect(activityOf(worker)).not.toContain("stuck");
      await rig.close(worker);
    },
  );

  it("has its lease given up when the question about its parent is never answered", async () => {
    const { rig, worker } = await splitRig("get", 0, () => true);
    await rig.until(() => givenUp(rig) > 0, 180_000);
    expect(worker.failure).toBeUndefined();
    const before = rig.clock.monotonic();
    await rig.close(worker);
    expect(rig.clock.monotonic() - before).toBeLessThan(1_000);
  });

  it("closes at once while a question about its shard's end is not answered", async () => {
    const { rig, worker } = await splitRig("setChildren", 0, () => true);
    const before = rig.clock.monotonic();
    await rig.close(worker);
    expect(rig.clock.monotonic() - before).toBeLessThan(1_000);
    expect(rig.lease(0)?.owner).toBeUndefined();
    expect(rig.lease(0)?.checkpoint.kind).toBe("after");
  });

  it("is left alone for hours while its parent is read", async () => {
    const rig = new Rig();
    const worker = await rig.start({}, () => false);
    rig.put(1);
    await rig.until(() => worker.records.length === 1);
    rig.stream.split(idOf(0), 2n ** 127n, rig.clock.now());
    const parent = rig.lease(0);
    if (parent === undefined) throw new Error("no lease");
    const { parentShardIds: _none, ...child } = parent;
    rig.table.rows.set(idOf(1), {
      ...child,
      shardId: idOf(1),
      parentShardIds: [idOf(0)],
      owner: undefined,
      checkpoint: { kind: "trim-horizon" },
    });
    await rig.pass(3_600_000);
    expect(rig.lease(1)?.owner).toBeDefined();
    expect(restarts(rig)).toBe(0);
    expect(activityOf(worker)).toContain("waiting");
    await rig.close(worker);
  });

  it("is restarted after a minute when the look-up of its hash keys never settles", async () => {
    const rig = new Rig();
    let hung = 0;
    let silent = false;
    deaf(rig, "listShards", () => {
      hung += silent ? 1 : 0;
      return silent;
    });
    const worker = await rig.start();
    const row = rig.lease();
    if (row === undefined) throw new Error("no lease");
    await rig.close(worker);
    // As an old KCL left it.
    rig.table.rows.set(idOf(0), { ...row, hashKeyRange: undefined, owner: undefined });
    const second = await rig.start();
    silent = true;
    const texts = rig.put(3);
    await rig.until(() => hung > 0);
    silent = false;
    await rig.pass(50_000);
    expect(second.records).toHaveLength(0);
    await rig.until(() => second.records.length === 3, 15_000);
    expect(textsOf(second.records)).toEqual(texts);
    expect(restarts(rig)).toBe(1);
    await rig.close(second);
  });
});

describe("a stuck reader of enhanced fan-out", () => {
  it("is restarted when the answer to a subscription never comes, and reads on where it was", async () => {
    const rig = new FanOutRig();
    const worker = await rig.start({ retrieval: fanOut });
    const texts = [...rig.put(3)];
    await rig.until(() => worker.records.length === 3);
    const subscribe = rig.fanOut.subscribe.bind(rig.fanOut);
    let asked = 0;
    rig.fanOut.subscribe = () => {
      asked += 1;
      return new Promise(() => {});
    };
    rig.fanOut.cut(idOf(0), "reset");
    await rig.until(() => asked === 1);
    rig.fanOut.subscribe = subscribe;
    texts.push(...rig.put(3));
    const tookMs = await rig.until(() => worker.records.length === 6);
    expect(tookMs).toBeGreaterThan(20_000);
    expect(textsOf(worker.records)).toEqual(texts);
    await rig.close(worker);
  });

  it("subscribes again and again to a connection that says nothing, then its lease is given up", async () => {
    const rig = new FanOutRig();
    const worker = await rig.start({ retrieval: fanOut });
    await rig.pass(20_000);
    expect(activityOf(worker)).toEqual(["idle"]);
    const owner = rig.lease()?.owner;
    const cutAll = async (ms: number) => {
      for (let left = ms; left > 0; left -= 500) {
        rig.fanOut.cut(idOf(0), "silent");
        await rig.pass(500);
      }
    };
    await cutAll(100_000);
    expect(activityOf(worker)).toEqual(["stuck"]);
    expect(rig.lease()?.owner).toBe(owner);
    await cutAll(40_000);
    expect(rig.lease()?.owner).toBeUndefined();
    expect(givenUp(rig)).toBe(1);
    await rig.close(worker);
  });

  it("is restarted when the question whether the consumer is there never settles", async () => {
    const rig = new FanOutRig();
    const worker = await rig.start({ retrieval: fanOut });
    await rig.pass(10_000);
    rig.fanOut.describeConsumer = () => new Promise(() => {});
    rig.fanOut.refusals.push(new ShardNotFoundError("by order"));
    rig.fanOut.cut(idOf(0), "reset");
    await rig.pass(10_000);
    const texts = rig.put(3);
    const tookMs = await rig.until(() => worker.records.length === 3);
    expect(tookMs).toBeGreaterThan(45_000);
    expect(textsOf(worker.records)).toEqual(texts);
    expect(restarts(rig)).toBe(1);
    await rig.close(worker);
  });

  it("is not one that a service never tells of idle shards", async () => {
    const rig = new FanOutRig();
    rig.fanOut.emptyEventMs = forever;
    const worker = await rig.start({ retrieval: fanOut });
    const owner = rig.lease()?.owner;
    await rig.pass(3_600_000);
    expect(givenUp(rig)).toBe(0);
    expect(rig.lease()?.owner).toBe(owner);
    const texts = rig.put(2);
    await rig.until(() => worker.records.length === 2);
    expect(textsOf(worker.records)).toEqual(texts);
    await rig.close(worker);
  });
});

describe.each([
  { way: "polling", make: () => new Rig(2), options: {} },
  { way: "enhanced fan-out", make: () => new FanOutRig(2), options: { retrieval: fanOut } },
])("by $way, a reader", ({ make, options }) => {
  it("keeps its lease through hours in which Pulsar takes nothing, and says once that it is held back", async () => {
    const rig = make();
    rig.put(400);
    const worker = rig.worker({ ...options, maxBufferedRecords: 20 });
    let opened = false;
    void worker.consumer.open(worker.stop.signal).finally(() => {
      opened = true;
    });
    await rig.until(() => opened);
    // Nobody reads.
    await rig.pass(30_000);
    const owners = [rig.lease(0)?.owner, rig.lease(1)?.owner];
    await rig.pass(3 * 3_600_000);
    expect([rig.lease(0)?.owner, rig.lease(1)?.owner]).toEqual(owners);
    expect(new Set(activityOf(worker))).toEqual(new Set(["held-back"]));
    expect(restarts(rig)).toBe(0);
    expect(changes(rig).length).toBeLessThanOrEqual(2);
    expect(rig.meter.value("pulsar_ts_io_kinesis_readers", { state: "held-back" })).toBe(2);
    await rig.close(worker);
  });

  it("is idle for half an hour without a word in the log", async () => {
    const rig = make();
    const worker = await rig.start(options);
    await rig.pass(1_800_000);
    expect(activityOf(worker)).toEqual(["idle", "idle"]);
    expect(changes(rig)).toEqual([]);
    expect(restarts(rig)).toBe(0);
    await rig.close(worker);
  });

  it("is not taken for stuck when the process was suspended for an hour", async () => {
    const rig = make();
    const worker = await rig.start(options);
    await rig.pass(30_000);
    rig.clock.pause(3_600_000);
    await rig.pass(120_000);
    expect(changes(rig)).toEqual([]);
    expect(restarts(rig)).toBe(0);
    const texts = rig.put(6);
    await rig.until(() => worker.records.length >= 6);
    expect(distinct(textsOf(worker.records))).toEqual(texts);
    await rig.close(worker);
  });
});

describe("a reader that Kinesis says no to", () => {
  it("is starved while it is throttled, keeps its lease, and says so once", async () => {
    const rig = new Rig();
    const worker = await rig.start();
    await rig.pass(10_000);
    const owner = rig.lease()?.owner;
    const fault = rig.service.faults.throttle("GetRecords", { count: forever });
    await rig.pass(1_800_000);
    expect(activityOf(worker)).toEqual(["starved"]);
    expect(rig.lease()?.owner).toBe(owner);
    fault.lift();
    await rig.pass(120_000);
    expect(changes(rig)).toEqual(["idle > starved", "starved > idle"]);
    await rig.close(worker);
  });

  it("is failing while errors repeat, keeps its lease, and says so once for all shards", async () => {
    const rig = new Rig(4);
    const worker = await rig.start();
    await rig.pass(10_000);
    const fault = rig.service.faults.reset("GetRecords", { count: forever });
    await rig.pass(1_800_000);
    expect(new Set(activityOf(worker))).toEqual(new Set(["failing"]));
    expect(givenUp(rig)).toBe(0);
    fault.lift();
    await rig.pass(60_000);
    expect(activityOf(worker)).toEqual(["idle", "idle", "idle", "idle"]);
    expect(changes(rig).length).toBeLessThanOrEqual(4);
    await rig.close(worker);
  });

  it("is failing when subscriptions are refused, and goes on when they are not", async () => {
    const rig = new FanOutRig();
    const worker = await rig.start({ retrieval: fanOut });
    rig.fanOut.refusals.push(...Array.from({ length: 20 }, () => new AwsUnavailableError("by order")));
    rig.fanOut.cut(idOf(0), "reset");
    await rig.pass(60_000);
    expect(activityOf(worker)).toEqual(["failing"]);
    const texts = rig.put(3);
    await rig.until(() => worker.records.length === 3, 300_000);
    expect(textsOf(worker.records)).toEqual(texts);
    expect(givenUp(rig)).toBe(0);
    await rig.close(worker);
  });
});
