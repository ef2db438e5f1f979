import { describe, expect, it, vi } from "vitest";
import type { Lease } from "../../src/lease/lease.ts";
import { idOf, Rig, unavailable, type Worker } from "../support/rig.ts";

// Minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 30_000 });

describe("a lease that a KCL 3 leader wants handed to another worker", () => {
  it("is read no further, and goes to him with its last checkpoint in one write once all is acknowledged", async () => {
    const { rig, worker } = await reading(5);
    beginHandOff(rig);
    await rig.until(() => rig.logger.messages("info").includes("lease is to be handed over"), 3_400);
    rig.put(5);
    await rig.pass(8_000);
    expect(worker.records).toHaveLength(5);
    expect(rig.lease()).toMatchObject({ owner: "java", checkpointOwner: ownerOf(rig) });
    const { counter } = rig.lease() as Lease; // it was taken
    for (const record of worker.records) record.ack();
    await rig.until(() => rig.lease()?.checkpointOwner === undefined, 1_000);
    expect(rig.lease()).toMatchObject({
      owner: "java",
      counter: counter + 1,
      checkpoint: { sequenceNumber: BigInt(worker.records.at(-1)?.sequenceNumber ?? 0) },
    });
    expect(worker.released).toEqual([idOf(0)]);
    expect(worker.consumer.status()).toEqual([]);
    expect(rig.meter.value("pulsar_ts_io_kinesis_leases_lost_total")).toBe(0);
    await rig.close(worker);
  });

  it.each([
    { host: "lets go of it then", holdOn: false, afterMs: 20_000 },
    { host: "never lets go of it", holdOn: true, afterMs: 25_000 },
  ])("goes to him after $afterMs ms as far as it was acknowledged when the host $host", async (one) => {
    const { rig, worker } = await reading(5);
    for (const record of worker.records.slice(0, 3)) record.ack();
    worker.holdOn = one.holdOn;
    beginHandOff(rig);
    const tookMs = await rig.until(() => rig.lease()?.checkpointOwner === undefined);
    expect(tookMs).toBeGreaterThanOrEqual(one.afterMs);
    expect(tookMs).toBeLessThan(one.afterMs + 3_400);
    expect(worker.released).toEqual([idOf(0)]);
    const handed = rig.lease();
    expect(handed).toMatchObject({
      owner: "java",
      checkpoint: { sequenceNumber: BigInt(worker.records[2]?.sequenceNumber ?? 0) },
    });
    for (const record of worker.records) record.ack();
    await rig.pass(5_000);
    expect(rig.lease()).toEqual(handed);
    await rig.close(worker);
  });

  it("is kept alive until then, and lost when the leader does not wait", async () => {
    const { rig, worker } = await reading(1);
    beginHandOff(rig);
    await rig.until(() => rig.logger.messages("info").includes("lease is to be handed over"), 3_400);
    const { counter } = rig.lease() as Lease; // it was taken
    await rig.pass(14_000);
    const row = rig.lease() as Lease; // it was taken
    expect(row.counter).toBeGreaterThanOrEqual(counter + 4);
    rig.table.rows.set(idOf(0), { ...row, checkpointOwner: undefined, counter: row.counter + 1 });
    await rig.until(() => worker.released.length > 0, 3_400);
    expect(rig.meter.value("pulsar_ts_io_kinesis_leases_lost_total")).toBe(1);
    await rig.close(worker);
    expect(rig.lease()).toMatchObject({ owner: "java", checkpoint: { kind: "trim-horizon" } });
  });

  it("is handed over although the answer to the last write was lost", async () => {
    const { rig, worker } = await reading(1);
    beginHandOff(rig);
    await rig.until(() => rig.logger.messages("info").includes("lease is to be handed over"), 3_400);
    rig.table.lose = () => {
      rig.table.lose = () => undefined;
      return { kind: "failed", error: unavailable(), mayHaveLanded: true };
    };
    for (const record of worker.records) record.ack();
    await rig.until(() => worker.consumer.status().length === 0, 3_400);
    expect(rig.lease()).toMatchObject({ owner: "java", checkpointOwner: undefined });
    expect(rig.meter.value("pulsar_ts_io_kinesis_leases_lost_total")).toBe(0);
    await rig.close(worker);
  });

  it("goes to him at once when the consumer is closed", async () => {
    const { rig, worker } = await reading(3);
    beginHandOff(rig);
    await rig.until(() => rig.logger.messages("info").includes("lease is to be handed over"), 3_400);
    await rig.close(worker);
    expect(rig.lease()).toMatchObject({ owner: "java", checkpointOwner: undefined });
  });

  it("goes to him at once when this worker is named as its reader and does not read it", async () => {
    const { rig, worker } = await reading(1);
    const me = ownerOf(rig);
    const row = rig.lease() as Lease; // it was taken
    rig.table.rows.set(idOf(0), { ...row, owner: "another", counter: row.counter + 1 });
    await rig.until(() => worker.released.length > 0);
    rig.table.rows.set(idOf(0), { ...row, owner: "java", checkpointOwner: me, counter: row.counter + 2 });
    await rig.until(() => rig.lease()?.checkpointOwner === undefined, 3_100);
    expect(rig.lease()).toMatchObject({ owner: "java", counter: row.counter + 3 });
    await rig.close(worker);
  });
});

describe("a lease that a KCL 3 leader assigns to this worker", () => {
  it("is adopted within a scan, and read from the checkpoint that the first write returned", async () => {
    const { rig, worker } = await reading(4);
    const me = ownerOf(rig);
    const [, second] = worker.records;
    const row = rig.lease() as Lease; // it was taken
    rig.table.rows.set(idOf(0), { ...row, owner: "java", counter: row.counter + 1 });
    await rig.until(() => worker.released.length > 0);
    rig.table.rows.set(idOf(0), { ...row, owner: me, checkpointOwner: "java", counter: row.counter + 2 });
    await rig.pass(6_500);
    expect(worker.records).toHaveLength(4);
    const checkpoint = {
      kind: "after",
      sequenceNumber: BigInt(second?.sequenceNumber ?? 0),
      subSequenceNumber: 0,
    } as const;
    rig.table.rows.set(idOf(0), { ...row, owner: me, checkpoint, counter: row.counter + 4 });
    await rig.until(() => worker.records.length === 6, 3_500);
    expect(worker.records[4]?.sequenceNumber).toBe(worker.records[2]?.sequenceNumber);
    await rig.close(worker);
  });
});

/** A worker that has read `count` records and acknowledged none. */
async function reading(count: number): Promise<{ readonly rig: Rig; readonly worker: Worker }> {
  const rig = new Rig();
  rig.put(count);
  const worker = await rig.start({}, () => false);
  await rig.until(() => worker.records.length === count);
  return { rig, worker };
}

function ownerOf(rig: Rig): string {
  const row = rig.lease();
  return row?.checkpointOwner ?? row?.owner ?? "";
}

/** As the leader writes it: the counter stays. */
function beginHandOff(rig: Rig): void {
  const row = rig.lease() as Lease; // it was taken
  rig.table.rows.set(idOf(0), { ...row, owner: "java", checkpointOwner: ownerOf(rig) });
}
