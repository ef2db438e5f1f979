import { describe, expect, it, vi } from "vitest";
import type { Lease } from "../../src/lease/lease.ts";
import { distinct, Rig, textsOf, unavailable, type Worker } from "../support/rig.ts";

// Minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 30_000 });

describe("a worker that stops while it waits for a lease it has asked for", () => {
  it("leaves it with its reader, who has not noticed and reads on", async () => {
    const { rig, reader, asker } = await asking();
    await rig.close(asker);
    expect(rowOf(rig, reader)).toHaveLength(2);
    const put = rig.put(20);
    await rig.until(() => put.every((text) => textsOf(reader.records).includes(text)), 5_000);
    expect(rig.logger.messages("info")).not.toContain("lease is to be handed over");
    await expectNoneRepeated(rig, reader);
  });

  it("leaves it to nobody once its reader has settled what it read, who then takes it again", async () => {
    const { rig, reader, asker } = await asking();
    await rig.until(() => rig.logger.messages("info").includes("lease is to be handed over"), 3_400);
    await rig.close(asker);
    const put = rig.put(20);
    settleAll(reader);
    await rig.until(() => put.every((text) => textsOf(reader.records).includes(text)), 5_000);
    expect(rig.logger.messages("info")).toContain("lease handed over");
    expect(rowOf(rig, reader)).toHaveLength(2);
    await expectNoneRepeated(rig, reader);
  });

  it("gives it up again that was handed over in that moment", async () => {
    const { rig, reader, asker } = await asking();
    await rig.until(() => rig.logger.messages("info").includes("lease is to be handed over"), 3_400);
    rig.table.stored = (method, row) => {
      if (method !== "write" || row.owner !== asker.consumer.workerId) return;
      if (row.checkpointOwner === undefined) asker.stop.abort(new Error("stopped"));
    };
    settleAll(reader);
    await rig.until(() => asker.stop.signal.aborted, 3_400);
    await rig.close(asker);
    expect(rowOf(rig, asker)).toEqual([]);
    await rig.until(() => rowOf(rig, reader).length === 2, 3_500);
    await expectNoneRepeated(rig, reader);
  });

  it("takes the request back at once, although what it has read itself takes long to settle", async () => {
    const { rig, reader, asker } = await asking();
    asker.stop.abort(new Error("stopped"));
    await rig.until(() => rowOf(rig, reader).length === 2, 100);
    await rig.pass(25_000);
    await rig.close(asker);
    await expectNoneRepeated(rig, reader);
  });

  it("takes back what it does not know to have asked for: the answers to the request and its withdrawal were lost", async () => {
    const { rig, reader, asker } = await asking({ lost: ["requestHandOff", "withdrawRequest"] });
    await rig.close(asker);
    expect(rowOf(rig, reader)).toHaveLength(2);
    expect(rig.table.calls.get("withdrawRequest")).toBe(2);
    await expectNoneRepeated(rig, reader);
  });

  it("waits for a request that is still on its way, and takes that back, too", async () => {
    const { rig, reader, asker } = await asking({ stopAt: "requestHandOff" });
    await rig.close(asker);
    expect(rowOf(rig, reader)).toHaveLength(2);
    await expectNoneRepeated(rig, reader);
  });

  it("ends although the table fails, and what it asked for goes back when it expires", async () => {
    const { rig, reader, asker } = await asking();
    await rig.until(() => rig.logger.messages("info").includes("lease is to be handed over"), 3_400);
    rig.table.before = (method) => {
      if (method === "withdrawRequest") throw unavailable();
    };
    await rig.close(asker);
    expect(rig.logger.messages("warn")).toContain("a lease that was asked for was not let go, it expires");
    settleAll(reader);
    await rig.until(() => rowOf(rig, reader).length === 2, 17_000);
    await expectNoneRepeated(rig, reader);
  });
});

describe("a lease whose reader dies after it was asked for", () => {
  it("is taken by the one who asked", async () => {
    const { rig, reader, asker } = await asking();
    reader.kill();
    await rig.until(() => rowOf(rig, asker).some((row) => row.checkpointOwner === undefined), 13_000);
    await rig.close(asker);
  });

  it("is taken by a third one when the request was withdrawn", async () => {
    const { rig, reader, asker } = await asking();
    const third = await rig.start({ instanceId: "third" });
    await rig.pass(3_000);
    reader.kill();
    await rig.close(asker);
    await rig.until(() => rowOf(rig, third).length === 2, 13_000);
    await rig.close(third);
  });
});

describe("a worker that stops after a take whose answer was lost", () => {
  it("gives the lease up", async () => {
    const rig = new Rig(1);
    rig.table.lose = (method) => {
      if (method !== "take") return undefined;
      worker.stop.abort(new Error("stopped"));
      return { kind: "failed", error: unavailable(), mayHaveLanded: true };
    };
    const worker = rig.worker();
    await rig.openWorker(worker);
    await rig.until(() => worker.stop.signal.aborted);
    await rig.close(worker);
    expect(rig.table.calls.get("take")).toBe(1);
    expect(rowOf(rig, worker)).toEqual([]);
  });
});

/** One that reads two shards and acknowledges nothing, and one that has just asked it for one of them. */
async function asking(
  options: { readonly lost?: readonly string[]; readonly stopAt?: string } = {},
): Promise<{
  readonly rig: Rig;
  readonly reader: Worker;
  readonly asker: Worker;
}> {
  const rig = new Rig(2);
  const lost = new Set(options.lost);
  let asked = false;
  rig.table.stored = (method) => {
    asked ||= method === "requestHandOff";
  };
  rig.table.lose = (method) => {
    if (method === options.stopAt) asker.stop.abort(new Error("stopped"));
    return lost.delete(method) ? { kind: "failed", error: unavailable(), mayHaveLanded: true } : undefined;
  };
  rig.put(20);
  const asker = rig.worker({ instanceId: "asker" });
  const reader = await rig.start({ instanceId: "reader" }, () => false);
  await rig.until(() => reader.records.length === 20);
  await rig.openWorker(asker);
  await rig.until(() => asked, 20_000);
  return { rig, reader, asker };
}

/** The rows that name a worker as their owner. */
function rowOf(rig: Rig, worker: Worker): readonly Lease[] {
  return [...rig.table.rows.values()].filter((row) => row.owner === worker.consumer.workerId);
}

function settleAll(worker: Worker): void {
  worker.settle = () => true;
  for (const record of worker.records) record.ack();
}

/** Whatever changed hands: the one who reads was given each record once, and no lease was lost. */
async function expectNoneRepeated(rig: Rig, reader: Worker): Promise<void> {
  settleAll(reader);
  await rig.pass(5_000);
  const texts = textsOf(reader.records);
  expect(texts).toHaveLength(distinct(texts).length);
  expect(rig.meter.value("pulsar_ts_io_kinesis_leases_lost_total")).toBe(0);
  await rig.close(reader);
}
