import { describe, expect, it, vi } from "vitest";
import { distinct, idOf, Rig, textsOf, type Worker } from "./support/rig.ts";

// Minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 60_000 });

describe("several workers on one table", () => {
  it("share the shards within seconds of the second one's start, repeating nothing", async () => {
    const rig = new Rig(8);
    const first = await rig.start({ instanceId: "a" });
    const put = [...rig.put(200)];
    await rig.until(() => first.records.length === 200);
    const second = await rig.start({ instanceId: "b" });
    await rig.until(() => held(second) === 4, 20_000);
    put.push(...rig.put(200));
    await rig.pass(5_000);
    expect([held(first), held(second)]).toEqual([4, 4]);
    expect([...textsOf([...first.records, ...second.records])].sort()).toEqual([...put].sort());
    expect(rig.meter.value("pulsar_ts_io_kinesis_leases_lost_total")).toBe(0);
    await rig.close(first);
    await rig.close(second);
  });

  it("leave the leases where they are once they are even", async () => {
    const rig = new Rig(5);
    const workers = [
      await rig.start({ instanceId: "a" }),
      await rig.start({ instanceId: "b" }),
      await rig.start({ instanceId: "c" }),
    ];
    await rig.pass(90_000);
    expect(workers.map(held).sort()).toEqual([1, 2, 2]);
    const owners = ownersOf(rig);
    const requests = rig.table.calls.get("requestHandOff");
    await rig.pass(120_000);
    expect(ownersOf(rig)).toEqual(owners);
    expect(rig.table.calls.get("requestHandOff")).toBe(requests);
    for (const worker of workers) await rig.close(worker);
  });

  it("have one shard each within half a minute when they are as many and begin at one moment", async () => {
    for (let round = 0; round < 10; round += 1) {
      const rig = new Rig(4);
      const first = await rig.start({ instanceId: "0" });
      await rig.pass(10_000 + round * 250);
      // So slow that none sees what the others ask for.
      rig.table.before = (called) =>
        called === "requestHandOff" ? rig.clock.sleep(500, new AbortController().signal) : undefined;
      const others = await Promise.all(["1", "2", "3"].map((instanceId) => rig.start({ instanceId })));
      const workers = [first, ...others];
      const put = [...rig.put(40)];
      const tookMs = await rig.until(() => workers.every((worker) => held(worker) === 1), 60_000);
      expect(tookMs).toBeLessThan(30_000);
      put.push(...rig.put(40));
      await rig.pass(5_000);
      expect(textsOf(workers.flatMap(({ records }) => records)).toSorted()).toEqual(put.toSorted());
      for (const worker of workers) await rig.close(worker);
    }
  });

  it("write each lease no more often than KCL renews it, checkpoints included", async () => {
    const rig = new Rig(4);
    const [first, second] = await pair(rig);
    await rig.pass(10_000);
    const before = writesOf(rig);
    for (let passed = 0; passed < 60; passed += 1) {
      rig.put(8);
      await rig.pass(1_000);
    }
    // KCL renews each 3,308 ms, and writes its checkpoints besides.
    expect((writesOf(rig) - before) / 4).toBeLessThanOrEqual(Math.ceil(60_000 / 3_308));
    expect(rig.lease()?.checkpoint.kind).toBe("after");
    await rig.close(first);
    await rig.close(second);
  });

  it("take what one leaves that is stopped, at once and with nothing repeated", async () => {
    const rig = new Rig(4);
    const [first, second] = await pair(rig);
    await rig.close(first);
    await rig.until(() => held(second) === 4, 6_000);
    const put = rig.put(40);
    await rig.pass(5_000);
    expect(distinct(textsOf(second.records))).toEqual(put);
    expect(second.records).toHaveLength(40);
    await rig.close(second);
  });

  it("take what one had that died, within 13 s", async () => {
    const rig = new Rig(9);
    const workers = [
      await rig.start({ instanceId: "a" }),
      await rig.start({ instanceId: "b" }),
      await rig.start({ instanceId: "c" }),
    ];
    const [first, second, third] = workers as [Worker, Worker, Worker]; // three were started
    await rig.until(() => workers.every((worker) => held(worker) === 3), 60_000);
    first.kill();
    const put = rig.put(90);
    await rig.until(() => {
      const read = textsOf([...second.records, ...third.records]);
      return put.every((text) => read.includes(text));
    }, 13_000);
    await rig.until(() => held(second) + held(third) === 9, 1_000);
    await rig.until(() => Math.abs(held(second) - held(third)) <= 1, 10_000);
    await rig.close(second);
    await rig.close(third);
  });

  it("lose nothing when all sleep for 30 s and go on, and no checkpoint goes back", async () => {
    const rig = new Rig(4);
    const [first, second] = await pair(rig);
    const put = rig.put(40);
    await rig.until(() => first.records.length + second.records.length === 40);
    rig.clock.pause(30_000);
    const more = rig.put(40);
    await rig.pass(60_000);
    expect(distinct(textsOf([...first.records, ...second.records]))).toEqual(distinct([...put, ...more]));
    for (const id of [0, 1, 2, 3]) {
      const stored = rig.table.checkpoints
        .filter((one) => one.id === idOf(id))
        .map((one) => BigInt(one.text));
      expect(stored).toEqual(stored.toSorted((a, b) => (a < b ? -1 : 1)));
    }
    await rig.close(first);
    await rig.close(second);
  });

  it("ask nobody for a lease while a native KCL 3 fleet lives", async () => {
    const rig = new Rig(4);
    const first = await rig.start({ instanceId: "a" });
    rig.kcl3.clientVersion = "CLIENT_VERSION_3X";
    rig.kcl3.leaderBeat = "first";
    const second = await rig.start({ instanceId: "b" });
    for (let beat = 0; beat < 6; beat += 1) {
      rig.kcl3.leaderBeat = String(beat);
      await rig.pass(10_000);
    }
    expect([held(first), held(second)]).toEqual([4, 0]);
    expect(rig.table.calls.get("requestHandOff")).toBeUndefined();
    await rig.close(first);
    await rig.close(second);
  });
});

describe("beside a Java worker", () => {
  it("takes its share at once, and what is left after 2 s", async () => {
    const rig = new Rig(4);
    await rig.close(await rig.start());
    javaTakes(rig, 0);
    const worker = await rig.start();
    await rig.pass(1_500);
    expect(held(worker)).toBe(2);
    await rig.pass(1_000);
    expect(held(worker)).toBe(3);
    await rig.close(worker);
  });

  it("takes leases of it to have as many, and none back for a minute that it took", async () => {
    const rig = new Rig(4);
    const worker = await rig.start();
    await rig.until(() => held(worker) === 4);
    javaTakes(rig, 0, 1, 2);
    await javaRenews(rig, 57_000);
    expect(held(worker)).toBe(1);
    await javaRenews(rig, 9_000);
    expect(held(worker)).toBe(2);
    expect(ownersOf(rig).filter((owner) => owner === "java")).toHaveLength(2);
    await javaRenews(rig, 60_000);
    expect(held(worker)).toBe(2);
    await rig.close(worker);
  });
});

/** As a Java worker takes leases: it leaves our attributes as they are. */
function javaTakes(rig: Rig, ...indexes: readonly number[]): void {
  for (const index of indexes) {
    const row = rig.lease(index);
    if (row === undefined) throw new Error(`no lease ${index}`);
    rig.table.rows.set(idOf(index), { ...row, owner: "java", counter: row.counter + 1 });
  }
}

async function javaRenews(rig: Rig, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 3_000) {
    for (const [id, row] of rig.table.rows) {
      if (row.owner === "java") rig.table.rows.set(id, { ...row, counter: row.counter + 1 });
    }
    await rig.pass(3_000);
  }
}

/** Two workers with half of four shards each. */
async function pair(rig: Rig): Promise<readonly [Worker, Worker]> {
  const first = await rig.start({ instanceId: "a" });
  const second = await rig.start({ instanceId: "b" });
  await rig.until(() => held(first) === 2 && held(second) === 2, 30_000);
  return [first, second];
}

function held(worker: Worker): number {
  return worker.consumer.status().length;
}

function ownersOf(rig: Rig): readonly (string | undefined)[] {
  return [...rig.table.rows.values()].map((lease) => lease.owner);
}

function writesOf(rig: Rig): number {
  const methods = ["write", "take", "requestHandOff"];
  return methods.reduce((sum, method) => sum + (rig.table.calls.get(method) ?? 0), 0);
}
