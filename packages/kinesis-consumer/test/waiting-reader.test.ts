import { describe, expect, it, vi } from "vitest";
import { activityOf, deaf, givenUp, restarts } from "./support/reader-rig.ts";
import { distinct, idOf, Rig, textsOf } from "./support/rig.ts";

// Hours pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 60_000 });

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
