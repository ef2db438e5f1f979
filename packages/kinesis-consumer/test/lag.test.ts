import { describe, expect, it } from "vitest";
import { Rig, unavailable } from "./support/rig.ts";

const forever = Number.POSITIVE_INFINITY;
const lagsOf = (worker: {
  readonly consumer: { status(): readonly { readonly lagMs?: number | undefined }[] };
}) => worker.consumer.status().map(({ lagMs }) => lagMs);

describe("the lag of a shard", () => {
  it("is unknown before Kinesis has answered, and 0 once everything was read", async () => {
    const rig = new Rig(1);
    const fault = rig.service.faults.reset("GetRecords", { count: forever });
    const worker = await rig.start();
    await rig.pass(30_000);
    expect(lagsOf(worker)).toEqual([undefined]);
    fault.lift();
    await rig.until(() => lagsOf(worker)[0] === 0, 20_000);
    await rig.close(worker);
  });

  it("grows while Kinesis gives no answer, although the last answer said that everything was read", async () => {
    const rig = new Rig(1);
    const worker = await rig.start();
    await rig.until(() => lagsOf(worker)[0] === 0, 20_000);
    rig.service.faults.reset("GetRecords", { count: forever });
    await rig.pass(72_000);
    expect(lagsOf(worker)[0]).toBeGreaterThanOrEqual(60_000);
    await rig.close(worker);
  });

  it("is the age of the oldest record that is not acknowledged, although everything was read", async () => {
    const rig = new Rig(1);
    const worker = await rig.start();
    worker.settle = () => false;
    rig.put(3);
    await rig.until(() => worker.records.length === 3);
    await rig.pass(90_000);
    expect(lagsOf(worker)[0]).toBeGreaterThanOrEqual(90_000);
    expect(lagsOf(worker)[0]).toBeLessThan(100_000);
    for (const record of worker.records) record.ack();
    expect(lagsOf(worker)[0]).toBeLessThan(1_000);
    await rig.close(worker);
  });
});

describe("what a consumer reports as failing", () => {
  it("blocks everything while the lease table cannot be reached and no lease is left", async () => {
    const rig = new Rig(2);
    const worker = await rig.start();
    await rig.until(() => worker.consumer.status().length === 2);
    rig.table.before = () => {
      throw unavailable();
    };
    await rig.pass(6_000);
    expect(worker.troubles.current()).toMatchObject([{ what: "lease table", blocking: false }]);
    await rig.pass(24_000);
    expect(worker.consumer.status()).toEqual([]);
    expect(worker.troubles.current()).toMatchObject([{ what: "lease table", blocking: true }]);
    rig.table.before = () => {};
    await rig.until(() => worker.troubles.current().length === 0, 30_000);
    await rig.close(worker);
  });

  it("blocks everything only while each shard it holds cannot be read", async () => {
    const rig = new Rig(2);
    const worker = await rig.start();
    await rig.until(() => worker.consumer.status().length === 2);
    const fault = rig.service.faults.reset("GetRecords", { count: forever });
    await rig.pass(10_000);
    expect(worker.troubles.current()).toMatchObject([
      { what: "reading from Kinesis", affected: 2, blocking: true },
    ]);
    fault.lift();
    await rig.until(() => worker.troubles.current().length === 0, 30_000);
    await rig.close(worker);
  });

  it("names shards of which Kinesis throttles most calls", async () => {
    const rig = new Rig(1);
    const worker = await rig.start();
    await rig.pass(5_000);
    rig.service.faults.throttle("GetRecords", { count: forever });
    await rig.pass(60_000);
    expect(worker.troubles.current()).toMatchObject([
      { what: "shard readers", code: "PIO_AWS_THROTTLED", blocking: true },
    ]);
    expect(worker.troubles.current()[0]?.remedy).toContain("enhanced fan-out");
    await rig.close(worker);
  });
});
