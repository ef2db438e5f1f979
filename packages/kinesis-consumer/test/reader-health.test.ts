import { describe, expect, it, vi } from "vitest";
import { AwsUnavailableError } from "../src/errors.ts";
import { activityOf, changes, FanOutRig, fanOut, givenUp, restarts } from "./support/reader-rig.ts";
import { distinct, idOf, Rig, textsOf } from "./support/rig.ts";

// Hours pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 60_000 });

const forever = Number.POSITIVE_INFINITY;

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
    const buffered = rig.meter.value("pulsar_ts_io_kinesis_buffered_records") ?? 0;
    expect(buffered).toBeGreaterThan(0);
    expect(buffered).toBeLessThanOrEqual(200); // an event of each shard comes whole
    expect(rig.meter.value("pulsar_ts_io_kinesis_buffered_bytes")).toBeGreaterThanOrEqual(buffered);
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

  it("is failing while errors repeat, keeps its lease, and says so once for all shards", {
    timeout: 240_000,
  }, async () => {
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
