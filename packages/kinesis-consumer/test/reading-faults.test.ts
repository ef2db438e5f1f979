import { describe, expect, it, vi } from "vitest";
import { distinct, idOf, Rig, textsOf, unavailable } from "./support/rig.ts";

// Minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 30_000 });

describe("reading", () => {
  it("goes on after throttles, resets, expired iterators and answers cut short, and loses nothing", async () => {
    const rig = new Rig(2);
    const put = [...rig.put(300)];
    const { faults } = rig.service;
    faults.throttle("GetRecords", { count: 3 });
    faults.reset("GetRecords", { count: 2 });
    faults.refuse("GetRecords", "ExpiredIteratorException", { count: 2 });
    faults.refuse("GetRecords", "InternalFailure", { count: 2 });
    faults.throttle("GetShardIterator", { count: 2 });
    faults.add({ operation: "GetRecords", effect: { kind: "cut-answer" } });
    faults.add({ operation: "GetRecords", effect: { kind: "lose-answer" } });
    const worker = await rig.start();
    await rig.until(() => worker.records.length >= 300);
    put.push(...rig.put(20));
    await rig.until(() => worker.records.length >= 320);
    expect(distinct(textsOf(worker.records))).toEqual(put);
    expect(worker.records).toHaveLength(320);
    expect(rig.meter.value("pulsar_ts_io_kinesis_reads_throttled_total")).toBe(5);
    expect(rig.meter.value("pulsar_ts_io_kinesis_iterators_expired_total")).toBe(2);
    await rig.close(worker);
  });

  it("goes on after a refusal that arrives garbled: what it said is unknown", async () => {
    const rig = new Rig();
    const { faults } = rig.service;
    faults.add({ operation: "SubscribeToShardEvent", effect: { kind: "hang-up" } });
    // Refused, because the first subscription is not five seconds old.
    const garbled = faults.add({ operation: "SubscribeToShard", skip: 1, effect: { kind: "corrupt" } });
    const worker = await rig.start({
      retrieval: { kind: "fan-out", consumerName: "orders-app", fallback: undefined },
    });
    rig.put(10);
    await rig.until(() => worker.records.length === 10 || worker.failure !== undefined);
    expect(worker.failure).toBeUndefined();
    expect(garbled.hits).toBe(1);
    await rig.close(worker);
  });

  it("says once that Kinesis fails and once that it answers again, however many shards there are", async () => {
    const rig = new Rig(4);
    const worker = await rig.start();
    await rig.pass(1_000);
    const fault = rig.service.faults.reset("GetRecords", { count: Number.POSITIVE_INFINITY });
    await rig.pass(20_000);
    fault.lift();
    await rig.pass(10_000);
    expect(rig.logger.linesOf("reading from Kinesis failing, retrying")).toHaveLength(1);
    expect(rig.logger.linesOf("reading from Kinesis recovered")).toHaveLength(1);
    expect(worker.failure).toBeUndefined();
    await rig.close(worker);
  });

  it("stays within five calls a second and shard, also when it is far behind", async () => {
    const rig = new Rig();
    rig.service.limits.enforceReads = true;
    rig.put(3_000);
    const worker = await rig.start({ maxBufferedRecords: 100 });
    await rig.until(() => worker.records.length === 3_000);
    expect(rig.meter.value("pulsar_ts_io_kinesis_reads_throttled_total")).toBe(0);
    await rig.close(worker);
  });

  it("stays within 2 MB a second and shard", async () => {
    const rig = new Rig();
    rig.service.limits.enforceReads = true;
    for (let count = 0; count < 40; count += 1) rig.putBytes(Buffer.alloc(512 * 1_024), "key");
    const worker = await rig.start();
    const tookMs = await rig.until(() => worker.records.length === 40);
    expect(tookMs).toBeGreaterThan(8_000);
    expect(tookMs).toBeLessThan(25_000);
    expect(rig.meter.value("pulsar_ts_io_kinesis_reads_throttled_total")).toBe(0);
    await rig.close(worker);
  });

  it("asks an idle shard once a second, and not more", async () => {
    const rig = new Rig();
    const worker = await rig.start();
    await rig.pass(1_000);
    const before = rig.service.calls("GetRecords");
    await rig.pass(10_000);
    expect(rig.service.calls("GetRecords") - before).toBeLessThanOrEqual(10);
    expect(rig.service.calls("GetRecords") - before).toBeGreaterThanOrEqual(9);
    await rig.close(worker);
  });

  it("asks less often for 30 s after a throttle", async () => {
    const rig = new Rig();
    rig.put(2_000);
    rig.service.faults.throttle("GetRecords");
    const worker = await rig.start({ maxBufferedRecords: 10 });
    await rig.pass(10_000);
    expect(rig.service.calls("GetRecords")).toBeLessThanOrEqual(12);
    await rig.pass(25_000);
    const before = rig.service.calls("GetRecords");
    await rig.pass(5_000);
    expect(rig.service.calls("GetRecords") - before).toBeGreaterThanOrEqual(18);
    await rig.close(worker);
  });

  it("pauses after a throttle for backoffMs at most, however often it is throttled", async () => {
    const rig = new Rig();
    const fault = rig.service.faults.throttle("GetRecords", { count: Number.POSITIVE_INFINITY });
    const worker = await rig.start({ backoffMs: 500 });
    await rig.pass(30_000);
    // One call a second while it is throttled, and half a second of pause at most.
    expect(fault.hits).toBeGreaterThanOrEqual(20);
    await rig.close(worker);
  });

  it("opens an iterator anew that has grown old while nobody asked for records", async () => {
    const rig = new Rig();
    rig.put(30);
    const worker = rig.worker({ maxBufferedRecords: 10 });
    const opening = worker.consumer.open(worker.stop.signal);
    let opened = false;
    void opening.then(() => {
      opened = true;
    });
    await rig.until(() => opened);
    await rig.pass(6 * 60_000);
    await rig.until(() => {
      const record = worker.consumer.poll();
      if (record !== undefined) worker.records.push(record);
      return worker.records.length === 30;
    });
    expect(rig.meter.value("pulsar_ts_io_kinesis_iterators_expired_total")).toBe(0);
    expect(rig.service.calls("GetShardIterator")).toBeGreaterThan(1);
    await rig.close(worker);
  });

  it("does not believe an end without children, and reads on", async () => {
    const rig = new Rig();
    rig.put(5);
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 5);
    rig.service.faults.refuse("GetRecords", "ResourceNotFoundException", { count: 2 });
    rig.put(5);
    await rig.until(() => worker.records.length === 10);
    expect(rig.lease()?.checkpoint.kind).not.toBe("shard-end");
    await rig.close(worker);
  });
});

describe("the buffer", () => {
  it("never holds more records than it may, and fetches no more when it is full", async () => {
    const rig = new Rig(4);
    rig.put(2_000);
    const worker = rig.worker({ maxBufferedRecords: 100 });
    let opened = false;
    void worker.consumer.open(worker.stop.signal).then(() => {
      opened = true;
    });
    await rig.until(() => opened);
    await rig.pass(20_000);
    expect(rig.meter.value("pulsar_ts_io_kinesis_records_read_total")).toBeLessThanOrEqual(100);
    expect(rig.meter.value("pulsar_ts_io_kinesis_records_read_total")).toBeGreaterThan(50);
    const limits = rig.service.lastCalls("GetRecords").map(({ body }) => (body as { Limit: number }).Limit);
    expect(Math.max(...limits)).toBeLessThanOrEqual(100);
    await rig.close(worker);
  });

  it("lets no busy shard starve another", async () => {
    const rig = new Rig(2);
    for (let count = 0; count < 5_000; count += 1) rig.putBytes(Buffer.from("busy"), "key", 0n);
    const worker = await rig.start({ maxBufferedRecords: 100 });
    await rig.pass(2_000);
    rig.putBytes(Buffer.from("rare"), "key", 2n ** 128n - 1n);
    const tookMs = await rig.until(() => textsOf(worker.records).includes("rare"));
    expect(tookMs).toBeLessThan(2_000);
    await rig.close(worker);
  });

  it("stops fetching a shard when one unacknowledged record holds back too many", async () => {
    const rig = new Rig();
    for (let count = 0; count < 40; count += 1) rig.put(1_000);
    const worker = await rig.start({ maxBufferedRecords: 10_000 }, (record) => record.data[0] !== 48);
    await rig.pass(60_000);
    const read = worker.records.length;
    expect(read).toBeGreaterThanOrEqual(20_000);
    expect(read).toBeLessThan(30_001);
    await rig.pass(10_000);
    expect(worker.records).toHaveLength(read);
    await rig.close(worker);
  });
});

describe("the four documented knobs", () => {
  it("checkpointInterval: a smaller value than the renewal's adds writes", async () => {
    const rig = new Rig();
    const worker = await rig.start({ checkpointIntervalMs: 500 });
    await rig.pass(3_400);
    for (let round = 0; round < 20; round += 1) {
      rig.put(1);
      await rig.pass(1_000);
    }
    expect(rig.table.checkpoints.length).toBeGreaterThanOrEqual(15);
    await rig.close(worker);
  });

  it("checkpointInterval: whatever it is, progress rides on each renewal", async () => {
    const rig = new Rig();
    const worker = await rig.start({ checkpointIntervalMs: 600_000 });
    for (let round = 0; round < 20; round += 1) {
      rig.put(1);
      await rig.pass(1_000);
    }
    expect(rig.table.checkpoints.length).toBeGreaterThanOrEqual(5);
    expect(rig.table.checkpoints.length).toBeLessThanOrEqual(8);
    await rig.close(worker);
  });

  it("numRetries: so many attempts of a checkpoint before it is reported", async () => {
    for (const checkpointAttempts of [1, 4]) {
      const rig = new Rig();
      const worker = await rig.start({ checkpointAttempts });
      await rig.pass(3_400);
      rig.put(1);
      await rig.until(() => worker.records.length === 1);
      let attempts = 0;
      rig.table.before = (method) => {
        if (method !== "write") return;
        attempts += 1;
        throw unavailable();
      };
      await rig.until(() => rig.meter.value("pulsar_ts_io_kinesis_checkpoints_failed_total") === 1);
      expect(attempts).toBe(checkpointAttempts);
      rig.table.before = () => {};
      await rig.pass(3_400);
      expect(rig.lease()?.checkpoint).toMatchObject({
        sequenceNumber: BigInt(worker.records[0]?.sequenceNumber ?? 0),
      });
      await rig.close(worker);
    }
  });
});

describe("the end of the stream", () => {
  it("is a failure of the run when the stream is deleted, and names it", async () => {
    const rig = new Rig();
    rig.put(1);
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 1);
    rig.model.deleteStream("orders");
    await rig.until(() => worker.failure !== undefined);
    expect(worker.failure).toMatchObject({
      code: "PIO_STREAM_NOT_FOUND",
      message: expect.stringContaining('there is no stream "orders" in region us-east-1'),
    });
    await rig.close(worker);
    expect(rig.lease()).toMatchObject({ owner: undefined, checkpoint: { kind: "after" } });
  });

  it("is a failure of the run when the stream is created anew under its name", async () => {
    const rig = new Rig();
    rig.put(1);
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 1);
    rig.model.recreateStream("orders", 1);
    await rig.until(() => worker.failure !== undefined);
    expect(worker.failure).toMatchObject({ code: "PIO_STREAM_RECREATED" });
    await rig.close(worker);
    await expect(rig.start()).rejects.toMatchObject({ code: "PIO_STREAM_RECREATED" });
    expect(rig.lease(0)?.shardId).toBe(idOf(0));
  });
});
