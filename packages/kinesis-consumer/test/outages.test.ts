import { describe, expect, it } from "vitest";
import type { Lease } from "../src/lease/lease.ts";
import { idOf, Rig, unavailable } from "./support/rig.ts";

const tableFailing = "lease table failing, retrying";
const tableRecovered = "lease table recovered";

describe("what is said of an outage", () => {
  it("is said to be over although the lease of a shard that could not be read was lost in it", async () => {
    const rig = new Rig(2);
    const worker = await rig.start();
    await rig.pass(1_000);
    const fault = rig.service.faults.reset("GetRecords", { count: Number.POSITIVE_INFINITY });
    await rig.pass(5_000);
    expect(rig.logger.linesOf("reading from Kinesis failing, retrying")).toHaveLength(1);
    takeAway(rig);
    await rig.until(() => worker.released.length === 1);
    fault.lift();
    await rig.until(() => rig.logger.linesOf("reading from Kinesis recovered").length === 1, 9_000);
    await rig.close(worker);
  });

  it("is said of the next one, too, when another worker took the lease that could not be taken in the first", async () => {
    const rig = new Rig();
    const worker = await rig.start();
    await rig.until(() => rig.lease()?.owner !== undefined);
    takeAway(rig);
    await rig.until(() => worker.released.length === 1);
    rig.table.before = (method) => {
      if (method === "take") throw unavailable();
    };
    await rig.until(() => rig.logger.linesOf(tableFailing).length === 1);
    rig.table.rows.set(idOf(0), { ...rowOf(rig), counter: 1_001 });
    rig.table.before = () => {};
    await rig.until(() => rig.logger.linesOf(tableRecovered).length === 1, 5_000);
    rig.table.before = (method) => {
      if (method === "list") throw unavailable();
    };
    await rig.until(() => rig.logger.linesOf(tableFailing).length === 2, 5_000);
    await rig.close(worker);
  });

  it("is said of the next one, too, when a lease could not be asked for in the first and is not wanted any more", async () => {
    const rig = new Rig(2);
    const reader = await rig.start();
    await rig.until(() => [0, 1].every((index) => rig.lease(index)?.owner === reader.consumer.workerId));
    rig.table.before = (method) => {
      if (method === "requestHandOff") throw unavailable();
    };
    const other = await rig.start({ instanceId: "1" });
    await rig.until(() => rig.logger.linesOf(tableFailing).length === 1);
    rig.table.rows.set(idOf(0), { ...rowOf(rig), checkpoint: { kind: "shard-end" } });
    rig.table.rows.set(idOf(1), { ...rowOf(rig, 1), checkpoint: { kind: "shard-end" } });
    await rig.until(() => rig.logger.linesOf(tableRecovered).length === 1, 5_000);
    await rig.close(other);
    await rig.close(reader);
  });

  it("does not say that it is over because all leases are lost to it", async () => {
    const rig = new Rig(2);
    const worker = await rig.start();
    await rig.pass(3_400);
    rig.table.before = (method) => {
      if (method === "write") throw unavailable();
    };
    await rig.until(() => worker.released.length === 2);
    expect(rig.logger.linesOf(tableRecovered)).toEqual([]);
    rig.table.before = () => {};
    await rig.close(worker);
  });
});

function rowOf(rig: Rig, index = 0): Lease {
  return rig.lease(index) as Lease; // it was created at the start
}

function takeAway(rig: Rig): void {
  rig.table.rows.set(idOf(0), { ...rowOf(rig), owner: "another", counter: 1_000 });
}
