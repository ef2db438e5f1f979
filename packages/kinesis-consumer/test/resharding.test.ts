import { describe, expect, it, vi } from "vitest";
import { AwsAccessDeniedError } from "../src/errors.ts";
import type { Shard } from "../src/shard/shard.ts";
import { distinct, idOf, Rig, textsOf, type Worker } from "./support/rig.ts";

// Minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 30_000 });

const middle = 2n ** 127n;

describe("a shard that is split", () => {
  it("is read to its end before its children, which are read at once, and missing nothing", async () => {
    const rig = new Rig();
    const put = [...rig.put(50)];
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 50);
    rig.stream.split(idOf(0), middle, rig.clock.now());
    put.push(...rig.put(50));
    const tookMs = await rig.until(() => worker.records.length === 100);
    expect(tookMs).toBeLessThan(3_000);
    expect(distinct(textsOf(worker.records))).toEqual(put);
    expectParentsFirst(worker, rig);
    expect(rig.lease(0)).toMatchObject({
      checkpoint: { kind: "shard-end" },
      childShardIds: [idOf(1), idOf(2)],
    });
    expect(rig.lease(1)).toMatchObject({ parentShardIds: [idOf(0)] });
    expect(worker.released).toEqual([idOf(0)]);
    await rig.close(worker);
  });

  it.each(["while it is read", "before it is read"])(
    "ends although it never had a record, when split %s",
    async (when) => {
      const rig = new Rig();
      const early = when === "while it is read" ? await rig.start() : undefined;
      await rig.pass(5_000);
      rig.stream.split(idOf(0), middle, rig.clock.now());
      const put = rig.put(20);
      const worker = early ?? (await rig.start());
      await rig.until(() => worker.records.length === 20);
      expect(distinct(textsOf(worker.records))).toEqual(put);
      expect(rig.lease(0)?.checkpoint).toEqual({ kind: "shard-end" });
      await rig.close(worker);
    },
  );

  it("does not end before its last record was acknowledged", async () => {
    const rig = new Rig();
    rig.put(5);
    const worker = await rig.start({}, () => false);
    await rig.until(() => worker.records.length === 5);
    rig.stream.split(idOf(0), middle, rig.clock.now());
    rig.put(5);
    await rig.pass(60_000);
    expect(worker.records).toHaveLength(5);
    expect(rig.lease(0)?.checkpoint).toEqual({ kind: "trim-horizon" });
    expect(rig.lease(1)).toBeUndefined();
    worker.settle = () => true;
    for (const record of worker.records) record.ack();
    await rig.until(() => worker.records.length === 10);
    await rig.close(worker);
  });

  it("keeps the order of its end when the worker dies anywhere in it", async () => {
    for (const method of ["create", "setChildren", "write"]) {
      const rig = new Rig();
      const put = [...rig.put(5)];
      const first = await rig.start();
      await rig.until(() => first.records.length === 5);
      await rig.pass(4_000);
      rig.stream.split(idOf(0), middle, rig.clock.now());
      put.push(...rig.put(20));
      let dying = false;
      rig.table.before = (called, id) => {
        // The write of SHARD_END is the one after the children were noted.
        const ready = method !== "write" || (rig.lease(0)?.childShardIds.length ?? 0) > 0;
        if (called !== method || !ready || (method === "write" && id !== idOf(0))) return;
        dying = true;
        first.kill();
        throw new Error("the process died");
      };
      await rig.until(() => dying);
      rig.table.before = () => {};
      const second = await rig.start();
      await rig.until(() => textsOf(second.records).length >= 20);
      expect(distinct([...textsOf(first.records), ...textsOf(second.records)])).toEqual(put);
      await rig.close(second);
    }
  });

  it("keeps its lease where none may be deleted: that is said once, and reading goes on", async () => {
    const rig = new Rig();
    rig.put(5);
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 5);
    rig.table.before = (method) => {
      if (method === "deleteFinished") throw new AwsAccessDeniedError("denied by order of the test");
    };
    rig.stream.split(idOf(0), middle, rig.clock.now());
    rig.put(5);
    await rig.until(() => worker.records.length === 10);
    await rig.pass(200_000);
    rig.put(5);
    await rig.until(() => worker.records.length === 15, 5_000);
    expect(worker.failure).toBeUndefined();
    expect(rig.lease(0)).toMatchObject({
      checkpoint: { kind: "shard-end" },
      owner: worker.consumer.workerId,
    });
    expect(rig.table.calls.get("deleteFinished")).toBe(1);
    expect(rig.logger.linesOf("finished leases may not be deleted, they stay in the table")).toHaveLength(1);
    await rig.close(worker);
  });

  it("has its lease deleted once both children were begun, and not before", async () => {
    const rig = new Rig();
    rig.put(5);
    const worker = await rig.start({ retrieval: { kind: "polling", idleMs: 5_000 } });
    await rig.until(() => worker.records.length === 5);
    rig.stream.split(idOf(0), middle, rig.clock.now());
    await rig.pass(130_000);
    expect(rig.lease(0)?.checkpoint).toEqual({ kind: "shard-end" });
    rig.put(20);
    await rig.pass(70_000);
    expect(rig.lease(0)).toBeUndefined();
    expect(rig.logger.messages("warn")).toEqual([]);
    await rig.close(worker);
  });
});

describe("shards that are merged", () => {
  it("are both read to their ends before the merged one", async () => {
    const rig = new Rig(2);
    const put = [...rig.put(50)];
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 50);
    rig.stream.merge(idOf(0), idOf(1), rig.clock.now());
    put.push(...rig.put(50));
    await rig.until(() => worker.records.length === 100);
    expect(distinct(textsOf(worker.records))).toEqual(put);
    expectParentsFirst(worker, rig);
    expect(rig.lease(2)).toMatchObject({ parentShardIds: [idOf(0), idOf(1)] });
    await rig.close(worker);
  });

  it("wait for the parent whose records are not acknowledged yet", async () => {
    const rig = new Rig(2);
    rig.put(20);
    const worker = await rig.start({}, (record) => record.shardId !== idOf(0));
    await rig.until(() => worker.records.length === 20);
    rig.stream.merge(idOf(0), idOf(1), rig.clock.now());
    rig.put(5);
    await rig.pass(30_000);
    expect(rig.lease(1)?.checkpoint).toEqual({ kind: "shard-end" });
    expect(worker.records).toHaveLength(20);
    worker.settle = () => true;
    for (const record of worker.records) record.ack();
    await rig.until(() => worker.records.length === 25);
    await rig.close(worker);
  });

  it("get the lease of a parent that has none before the merged one is begun", async () => {
    const rig = new Rig(2);
    const put = [...rig.put(20)];
    const first = await rig.start();
    await rig.until(() => first.records.length === 20);
    await rig.close(first);
    rig.table.rows.delete(idOf(0));
    rig.stream.merge(idOf(0), idOf(1), rig.clock.now());
    put.push(...rig.put(10));
    const second = await rig.start();
    await rig.until(() => second.records.some((record) => record.shardId === idOf(2)));
    await rig.pass(5_000);
    expect(rig.lease(0)?.checkpoint).toEqual({ kind: "shard-end" });
    expect(distinct([...textsOf(first.records), ...textsOf(second.records)])).toEqual(put);
    await rig.close(second);
  });
});

describe("a stream that was resharded while nobody read it", () => {
  it("is read from its closed parents on at the first start", async () => {
    const rig = new Rig(2);
    const put = [...rig.put(20)];
    rig.stream.split(idOf(0), middle / 2n, rig.clock.now());
    put.push(...rig.put(20));
    await rig.clock.advance(1_000);
    rig.stream.merge(idOf(3), idOf(1), rig.clock.now());
    put.push(...rig.put(20));
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 60);
    expect(distinct(textsOf(worker.records))).toEqual(put);
    expectParentsFirst(worker, rig);
    await rig.close(worker);
  });

  it("keeps a merged shard waiting for a parent whose own parent is not read to its end yet", async () => {
    const rig = new Rig(2);
    const put = [...rig.put(20)];
    rig.stream.split(idOf(0), middle / 2n, rig.clock.now());
    await rig.clock.advance(1_000);
    put.push(...rig.put(20));
    rig.stream.merge(idOf(3), idOf(1), rig.clock.now());
    put.push(...rig.put(20));
    const worker = await rig.start({}, (record) => record.shardId !== idOf(0));
    await rig.pass(30_000);
    expect(worker.records.some((record) => record.shardId === idOf(4))).toBe(false);
    expect(rig.lease(1)).toMatchObject({ checkpoint: { kind: "after" } });
    expect(rig.lease(4)).toBeUndefined();
    worker.settle = () => true;
    for (const record of worker.records) record.ack();
    await rig.until(() => worker.records.length === 60);
    expect(distinct(textsOf(worker.records))).toEqual(put);
    expectParentsFirst(worker, rig);
    await rig.close(worker);
  });

  it("is read on from the checkpoints, parents first", async () => {
    const rig = new Rig(2);
    rig.put(20);
    const first = await rig.start();
    await rig.until(() => first.records.length === 20);
    await rig.close(first);
    const rest = [...rig.put(20)];
    rig.stream.split(idOf(0), middle / 2n, rig.clock.now());
    await rig.clock.advance(1_000);
    rig.stream.merge(idOf(3), idOf(1), rig.clock.now());
    rest.push(...rig.put(20));
    const second = await rig.start();
    await rig.until(() => second.records.length === 40);
    expect(distinct(textsOf(second.records))).toEqual(rest);
    expectParentsFirst(second, rig);
    await rig.close(second);
  });

  it("reads the children of a shard that expired before it was read to its end", async () => {
    const rig = new Rig();
    rig.put(5);
    const first = await rig.start({ initialPosition: { kind: "latest" } });
    await rig.pass(1_000);
    await rig.close(first);
    rig.stream.split(idOf(0), middle, rig.clock.now());
    const put = rig.put(20);
    rig.stream.expire(idOf(0));
    const second = await rig.start({ initialPosition: { kind: "latest" } });
    await rig.until(() => second.records.length === 20);
    expect(distinct(textsOf(second.records))).toEqual(put);
    expect(rig.lease(0)?.checkpoint).toEqual({ kind: "shard-end" });
    await rig.close(second);
  });

  it("repairs the children that a worker forgot to lease", async () => {
    const rig = new Rig();
    rig.put(5);
    const first = await rig.start();
    await rig.until(() => first.records.length === 5);
    rig.stream.split(idOf(0), middle, rig.clock.now());
    const put = rig.put(10);
    await rig.until(() => rig.lease(0)?.checkpoint.kind === "shard-end");
    first.kill();
    rig.table.rows.delete(idOf(1));
    rig.table.rows.delete(idOf(2));
    const second = await rig.start();
    await rig.until(() => second.records.length === 10);
    expect(distinct(textsOf(second.records))).toEqual(put);
    await rig.close(second);
  });
});

/** No record of a shard comes before the last one of any of its parents. */
function expectParentsFirst(worker: Worker, rig: Rig): void {
  const parentsOf = new Map<string, Shard["parentShardIds"]>(
    [...rig.table.rows.values()].map((lease) => [lease.shardId, lease.parentShardIds]),
  );
  const started = new Set<string>();
  for (const record of worker.records) {
    started.add(record.shardId);
    for (const [child, parents] of parentsOf) {
      if (parents.some((parent) => parent === record.shardId)) {
        expect(started.has(child), `${child} before the end of ${record.shardId}`).toBe(false);
      }
    }
  }
}
