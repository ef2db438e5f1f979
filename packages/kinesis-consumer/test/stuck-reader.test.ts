import { describe, expect, it, vi } from "vitest";
import { activityOf, changes, deaf, givenUp, restarts } from "./support/reader-rig.ts";
import { distinct, idOf, Rig, textsOf } from "./support/rig.ts";

// Hours pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 60_000 });

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
