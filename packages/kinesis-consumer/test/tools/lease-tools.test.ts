import type { StartPosition, ToolContext } from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";
import { AwsAccessDeniedError } from "../../src/errors.ts";
import type { Lease } from "../../src/lease/lease.ts";
import { asCreated } from "../../src/lease/lease-maker.ts";
import { inspectLeases } from "../../src/tools/inspect-leases.ts";
import { resetLeases } from "../../src/tools/reset-leases.ts";
import { newLease } from "../support/lease-writes.ts";
import { distinct, idOf, Rig, textsOf } from "../support/rig.ts";
import { portsOf } from "../support/tool-ports.ts";

const horizon: StartPosition = { kind: "trim-horizon" };

function contextOf(rig: Rig): ToolContext {
  return { clock: rig.clock, logger: rig.logger, signal: new AbortController().signal };
}

/** Lets time pass until `work` has ended. */
async function ended<T>(rig: Rig, work: Promise<T>): Promise<T> {
  let done = false;
  const end = () => {
    done = true;
  };
  work.then(end, end);
  await rig.until(() => done);
  return await work;
}

function inspect(rig: Rig, initialPosition = horizon) {
  return ended(rig, inspectLeases(portsOf(rig), contextOf(rig), { initialPosition }));
}

function reset(rig: Rig, to: StartPosition, streamName = "orders") {
  const options = { streamName, applicationName: "orders-app", to };
  return ended(rig, resetLeases(portsOf(rig), contextOf(rig), options));
}

/** A rig whose one worker has read and stored everything and is gone. */
async function readAndClosed(shardCount = 1): Promise<Rig> {
  const rig = new Rig(shardCount);
  const texts = rig.put(4);
  const worker = await rig.start();
  await rig.until(() => worker.records.length === texts.length);
  await rig.close(worker);
  return rig;
}

/** Shard 1 has no lease, and gets one while its creation is on its way. @returns what that lease is, once it is there. */
function besides(rig: Rig, change: Partial<Lease>): () => Lease | undefined {
  rig.table.rows.delete(idOf(1));
  let created: Lease | undefined;
  rig.table.before = (method) => {
    if (method !== "create") return;
    const stamp = { streamName: "orders", streamCreatedMs: undefined };
    created = { ...asCreated(newLease(idOf(1)), stamp), ...change };
    rig.table.rows.set(idOf(1), created);
  };
  return () => created;
}

describe("inspectLeases", () => {
  it("has nothing to tell before the first start", async () => {
    expect(await inspect(new Rig())).toEqual([]);
  });

  it("tells who is at work, and changes no row", async () => {
    const rig = new Rig(2);
    rig.put(4);
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 4);
    await rig.pass(10_000);
    const writes = () =>
      ["create", "take", "replace", "deleteUnchanged"].map((name) => rig.table.calls.get(name));
    const before = writes();
    const found = await inspect(rig);
    expect(writes()).toEqual(before);
    expect(found.map((one) => [one.id, one.ownerActive, one.finished, one.lagMs])).toEqual([
      [idOf(0), true, false, 0],
      [idOf(1), true, false, 0],
    ]);
    expect(found[0]?.owner).toMatch(/^0-[0-9a-f]{8}$/);
    expect(found[0]?.position).toMatch(/^\d+\/0$/);
    await rig.close(worker);
  });

  it("tells since when a worker of ours has its lease, as that worker does; of Java's workers it is not known", async () => {
    const rig = new Rig(2);
    await rig.pass(5_000);
    const worker = await rig.start();
    await rig.until(() => worker.consumer.status().length === 2);
    const takenMs = rig.clock.now();
    await rig.pass(60_000);
    const row = rig.lease(1);
    if (row !== undefined) rig.table.rows.set(idOf(1), { ...row, owner: "java", counter: row.counter + 1 });
    const [ours, javas] = await inspect(rig);
    expect(Math.abs((ours?.ownedSinceMs ?? 0) - takenMs)).toBeLessThan(1_000);
    expect(worker.consumer.status()[0]?.ownedSinceMs).toBe(ours?.ownedSinceMs);
    expect(javas).toMatchObject({ owner: "java", ownedSinceMs: undefined });
    await rig.close(worker);
    expect((await inspect(rig))[0]).toMatchObject({ owner: undefined, ownedSinceMs: undefined });
  });

  it("tells that the owner of a lease gave no sign when its process has died", async () => {
    const rig = new Rig();
    const worker = await rig.start();
    await rig.until(() => rig.lease()?.owner !== undefined);
    worker.kill();
    const [found] = await inspect(rig);
    expect(found).toMatchObject({ ownerActive: false });
  });

  it("tells how far behind a stored position is", async () => {
    const rig = await readAndClosed();
    rig.put(1);
    await rig.clock.advance(60_000);
    rig.put(1);
    await rig.clock.advance(1_000);
    const [found] = await inspect(rig);
    expect(found?.owner).toBeUndefined();
    expect(found?.ownerActive).toBeUndefined();
    expect(found?.lagMs).toBeGreaterThanOrEqual(1_000);
  });

  it("leaves the lag out and notes why when reading is denied", async () => {
    const rig = await readAndClosed(2);
    const { stream, table } = portsOf(rig);
    stream.openIterator = () => Promise.reject(new AwsAccessDeniedError("denied by order of the test"));
    const found = await ended(
      rig,
      inspectLeases({ stream, table }, contextOf(rig), { initialPosition: horizon }),
    );
    expect(found.map((one) => one.lagMs)).toEqual([undefined, undefined]);
    const notes = rig.logger.lines.filter((line) => line.message === "the lag of some shards is not known");
    expect(notes.map((line) => line.fields["shards"])).toEqual([2]);
  });

  it("reads a table that it may not describe", async () => {
    const rig = await readAndClosed();
    rig.table.before = (method) => {
      if (method === "ready") throw new AwsAccessDeniedError("denied by order of the test");
    };
    expect(await inspect(rig)).toHaveLength(1);
  });
});

describe("resetLeases", () => {
  it("makes everything be read again from TRIM_HORIZON, closed parents before their children", async () => {
    const rig = await readAndClosed();
    rig.stream.split(idOf(0), 2n ** 127n, rig.clock.now());
    rig.put(4);
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 4);
    await rig.pass(5_000);
    await rig.close(worker);
    expect(rig.lease()?.checkpoint.kind).toBe("shard-end");
    await reset(rig, horizon);
    expect([...rig.table.rows.values()].map((row) => [row.shardId, row.checkpoint.kind])).toEqual([
      [idOf(0), "trim-horizon"],
    ]);
    const again = await rig.start();
    await rig.until(() => again.records.length === 8);
    expect(distinct(textsOf(again.records))).toEqual(["0", "1", "2", "3", "4", "5", "6", "7"]);
    await rig.close(again);
  });

  it("leaves only the open shards at LATEST, without the start time of before", async () => {
    const rig = await readAndClosed();
    rig.stream.split(idOf(0), 2n ** 127n, rig.clock.now());
    const row = rig.lease();
    if (row !== undefined) rig.table.rows.set(idOf(0), { ...row, startTimeMs: 7 });
    await reset(rig, { kind: "latest" });
    const rows = [...rig.table.rows.values()].map((one) => [
      one.shardId,
      one.checkpoint.kind,
      one.startTimeMs,
    ]);
    expect(rows).toEqual([
      [idOf(1), "latest", undefined],
      [idOf(2), "latest", undefined],
    ]);
    await rig.pass(10_000);
    const worker = await rig.start();
    await rig.until(() => rig.lease(1)?.startTimeMs !== undefined);
    const texts = rig.put(2);
    await rig.until(() => worker.records.length === texts.length);
    expect(distinct(textsOf(worker.records))).toEqual(texts);
    await rig.close(worker);
  });

  it("refuses and changes nothing while a worker lives", async () => {
    const rig = new Rig();
    const worker = await rig.start();
    await rig.until(() => rig.lease()?.owner !== undefined);
    await expect(reset(rig, horizon)).rejects.toMatchObject({ code: "PIO_PARTITIONS_HELD" });
    expect(rig.table.calls.get("replace")).toBeUndefined();
    expect(worker.failure).toBeUndefined();
    await rig.close(worker);
  });

  it("resets what a dead worker left, after the time of a lease, and shuts that worker out", async () => {
    const rig = new Rig();
    const worker = await rig.start();
    await rig.until(() => rig.lease()?.owner !== undefined);
    worker.kill();
    const counter = rig.lease()?.counter ?? 0;
    const startMs = rig.clock.monotonic();
    await reset(rig, horizon);
    expect(rig.clock.monotonic() - startMs).toBeGreaterThanOrEqual(10_000);
    expect(rig.lease()).toMatchObject({ owner: undefined, counter: counter + 1 });
  });

  it("stops when a worker takes a lease in between, without touching that lease", async () => {
    const rig = await readAndClosed(2);
    rig.table.before = (method, id) => {
      const row = rig.table.rows.get(idOf(1));
      if (method !== "replace" || id !== idOf(1) || row === undefined) return;
      rig.table.rows.set(idOf(1), { ...row, owner: "other", counter: row.counter + 1 });
    };
    await expect(reset(rig, horizon)).rejects.toThrow(/half-way.*shardId-000000000001 changed/);
    expect(rig.lease(1)).toMatchObject({ owner: "other", checkpoint: { kind: "after" } });
  });

  it("takes a row for its own that it has created when the answer to that was lost", async () => {
    const rig = await readAndClosed(2);
    const created = besides(rig, {});
    await reset(rig, horizon);
    expect(rig.lease(1)).toEqual(created());
    expect(rig.logger.messages("info")).toContain("leases reset");
  });

  it.each<readonly [string, Partial<Lease>]>([
    ["has taken it", { owner: "other", counter: 1 }],
    ["has released it since", { counter: 2 }],
    ["begins elsewhere", { checkpoint: { kind: "latest" } }],
  ])("stops when a worker has created the row of a shard, and %s", async (_what, change) => {
    const rig = await readAndClosed(2);
    const created = besides(rig, change);
    await expect(reset(rig, horizon)).rejects.toThrow(/half-way: a lease of shardId-000000000001 appeared/);
    expect(rig.lease(1)).toEqual(created());
    expect(rig.lease(0)?.checkpoint.kind).toBe("after");
  });

  it("does not take a lease for reset that a worker released in between, and that begins where it began before", async () => {
    const rig = await readAndClosed();
    const row = rig.lease() as Lease; // it was read
    rig.table.rows.set(idOf(0), { ...row, checkpoint: { kind: "latest" }, startTimeMs: 7 });
    rig.table.before = (method) => {
      const now = rig.lease() as Lease; // it was read
      if (method === "replace") rig.table.rows.set(idOf(0), { ...now, counter: now.counter + 1 });
    };
    await expect(reset(rig, { kind: "latest" })).rejects.toThrow(/half-way.*shardId-000000000000 changed/);
    expect(rig.lease()?.startTimeMs).toBe(7);
  });

  it("refuses a table of another stream, and one that is not there", async () => {
    const rig = await readAndClosed();
    await expect(reset(rig, horizon, "other")).rejects.toMatchObject({
      code: "PIO_LEASE_TABLE_OF_OTHER_STREAM",
    });
    const row = rig.lease() as Lease; // it was read
    const unnamed = { ...row, streamName: undefined, streamCreatedMs: undefined };
    rig.table.rows.set(idOf(0), {
      ...unnamed,
      checkpoint: { kind: "after", sequenceNumber: 1n, subSequenceNumber: 0 },
    });
    await expect(reset(rig, horizon)).rejects.toMatchObject({
      code: "PIO_LEASE_TABLE_OF_OTHER_STREAM",
      remedy: expect.stringContaining(
        "deleted and created anew, stop all workers and delete the lease table",
      ),
    });
    rig.table.exists = false;
    await expect(reset(rig, horizon)).rejects.toMatchObject({ code: "PIO_LEASE_TABLE_MISSING" });
  });
});
