import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { NumberedRig, numbersOf, partitionOf } from "./support/numbered-rig.ts";
import { idOf, type Worker } from "./support/rig.ts";

// Minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 30_000 });

/** What happens, in its order: who reads the row from a write on, and when the host was asked and was done. */
function diaryOf(rig: NumberedRig, worker: Worker, releaseMs = 500): string[] {
  const diary: string[] = [];
  rig.table.stored = (_method, row) => {
    const reader = row.checkpointOwner ?? row.owner;
    if (reader !== worker.consumer.workerId) diary.push("another's or nobody's");
  };
  worker.letGo = async (partitionId) => {
    diary.push(`release ${partitionId}`);
    await worker.clock.sleep(releaseMs, new AbortController().signal);
    diary.push("released");
  };
  return diary;
}

async function reading(count: number, settled: boolean): Promise<{ rig: NumberedRig; worker: Worker }> {
  const rig = new NumberedRig();
  rig.put(count);
  const worker = await rig.publishing({ instanceId: "a" }, () => settled);
  await rig.until(() => worker.records.length === count);
  return { rig, worker };
}

describe("the partition of numbered records", () => {
  it("is released before its lease is nobody's when the worker is closed", async () => {
    const { rig, worker } = await reading(5, true);
    const diary = diaryOf(rig, worker);
    await rig.close(worker);
    expect(diary).toEqual([`release ${partitionOf(worker)}`, "released", "another's or nobody's"]);
  });

  it("is not released when none of its records was read: nothing was published", async () => {
    const rig = new NumberedRig();
    const worker = await rig.publishing();
    await rig.until(() => rig.lease()?.owner !== undefined);
    await rig.close(worker);
    expect(worker.released).toEqual([]);
  });

  it("is released before its lease is handed over, once all that was read is settled", async () => {
    const { rig, worker } = await reading(5, false);
    const diary = diaryOf(rig, worker);
    handOff(rig);
    await rig.pass(8_000);
    expect(diary).toEqual([]);
    for (const record of worker.records) record.ack();
    await rig.until(() => diary.length === 3, 1_000);
    expect(diary).toEqual([`release ${partitionOf(worker)}`, "released", "another's or nobody's"]);
    await rig.close(worker);
  });

  it("is released before its lease is handed over also when what was read does not settle, and none of the rest is handed out", async () => {
    const rig = new NumberedRig();
    rig.put(5);
    const worker = await rig.publishing({ instanceId: "a" }, () => false);
    await rig.until(() => worker.records.length === 5);
    worker.intake.close();
    rig.put(5);
    await rig.pass(2_000);
    const diary = diaryOf(rig, worker, 4_000);
    handOff(rig);
    await rig.until(() => diary.length === 1);
    const read = worker.records.length;
    worker.intake.open();
    await rig.until(() => diary.length === 3);
    expect(diary).toEqual([`release ${partitionOf(worker)}`, "released", "another's or nobody's"]);
    expect(worker.records.length).toBe(read);
    await rig.close(worker);
  });

  it("is released at once when its lease is lost", async () => {
    const { rig, worker } = await reading(5, true);
    rig.change({ owner: "java" });
    await rig.until(() => worker.released.length === 1, 3_400);
    expect(worker.released).toEqual([partitionOf(worker)]);
    await rig.close(worker);
  });

  it.each([
    { host: "a slow one", releaseMs: 3_000, leastMs: 3_000 },
    { host: "one that never lets go, for five seconds", releaseMs: 1e6, leastMs: 5_000 },
  ])("is let go of by the host before the same worker reads on that had lost it: $host", async (one) => {
    const { rig, worker } = await reading(5, false);
    diaryOf(rig, worker, one.releaseMs);
    rig.change({ owner: undefined });
    await rig.until(() => worker.released.length === 1, 3_400);
    const lostMs = rig.clock.monotonic();
    await rig.until(() => worker.records.length > 5);
    const tookMs = Math.round(rig.clock.monotonic() - lostMs);
    expect(tookMs).toBeGreaterThanOrEqual(one.leastMs);
    expect(tookMs).toBeLessThan(one.leastMs + 3_000);
    await rig.until(() => worker.records.length === 10);
    expect(numbersOf(worker.records)).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
    partitionOf(worker);
    await rig.close(worker);
  });

  it("is released a turn of the event loop after its last record was handed out: whoever awaits that one has it by then", async () => {
    const rig = new NumberedRig();
    rig.put(5);
    const worker = await rig.publishing({ instanceId: "a" });
    await rig.until(() => worker.records.length === 5);
    worker.intake.close();
    rig.put(5);
    await rig.pass(2_000);
    rig.clock.pause(10_001);
    expect(worker.consumer.poll()).toBeUndefined();
    for (let step = 0; step < 100; step += 1) await Promise.resolve();
    expect(worker.released).toEqual([]);
    await nextTurn();
    await nextTurn();
    expect(worker.released).toEqual([partitionOf(worker)]);
    worker.intake.open();
    await rig.close(worker);
  });

  it("is released with the end of its shard, and once", async () => {
    const { rig, worker } = await reading(5, true);
    rig.stream.split(idOf(0), 2n ** 127n, rig.clock.now());
    await rig.until(() => rig.lease()?.checkpoint.kind === "shard-end");
    await rig.until(() => worker.released.length === 1);
    await rig.close(worker);
    expect(worker.released).toEqual([partitionOf(worker)]);
  });
});

/** A KCL 3 leader wants the lease to be another worker's. */
function handOff(rig: NumberedRig): void {
  const row = rig.lease();
  if (row !== undefined) rig.table.rows.set(idOf(0), { ...row, owner: "java", checkpointOwner: row.owner });
}
