import { describe, expect, it } from "vitest";
import { AwsUnavailableError } from "../src/errors.ts";
import { MemoryMetricSink } from "./support/memory-metric-sink.ts";
import { idOf, Rig } from "./support/rig.ts";

const flushMs = 10_000;

function rigWith(shards = 1): { readonly rig: Rig; readonly sink: MemoryMetricSink } {
  const rig = new Rig(shards);
  const sink = new MemoryMetricSink();
  rig.sink = sink;
  return { rig, sink };
}

describe("metrics for CloudWatch", () => {
  it("have the names, units and dimensions that dashboards made for the KCL ask for", async () => {
    const { rig, sink } = rigWith();
    rig.put(3);
    const worker = await rig.start({ metricsLevel: "SUMMARY" });
    await rig.pass(flushMs + 5_000);
    await rig.close(worker);
    expect(sink.kinds).toEqual([
      "ApplicationTracker MillisBehindLatest Milliseconds",
      "ProcessTask[ShardId] DataBytesProcessed Bytes",
      "ProcessTask[ShardId] MillisBehindLatest Milliseconds",
      "ProcessTask[ShardId] RecordProcessor.processRecords.Time Milliseconds",
      "ProcessTask[ShardId] RecordsProcessed Count",
      "ProcessTask[ShardId] Success Count",
      "ProcessTask[ShardId] Time Milliseconds",
      "RenewAllLeases[WorkerIdentifier] CurrentLeases Count",
      "RenewAllLeases[WorkerIdentifier] LostLeases Count",
      "RenewAllLeases[WorkerIdentifier] Success Count",
      "RenewAllLeases[WorkerIdentifier] Time Milliseconds",
      "ShardSyncTask Success Count",
      "ShardSyncTask Time Milliseconds",
      "ShutdownTask RecordProcessor.shutdown.Time Milliseconds",
      "TakeLeases[WorkerIdentifier] ExpiredLeases Count",
      "TakeLeases[WorkerIdentifier] NumWorkers Count",
      "TakeLeases[WorkerIdentifier] Success Count",
      "TakeLeases[WorkerIdentifier] TakenLeases Count",
      "TakeLeases[WorkerIdentifier] Time Milliseconds",
      "TakeLeases[WorkerIdentifier] UntakenLeases Count",
    ]);
  });

  it("add each call of each shard at the level DETAILED, which is the default", async () => {
    const { rig, sink } = rigWith();
    rig.put(3);
    const worker = await rig.start({ checkpointIntervalMs: 1_000 });
    await rig.pass(flushMs + 5_000);
    await rig.close(worker);
    expect(sink.kinds).toEqual(
      expect.arrayContaining([
        "ProcessTask[ShardId] KinesisDataFetcher.getRecords.Success Count",
        "ProcessTask[ShardId] KinesisDataFetcher.getRecords.Time Milliseconds",
        "ProcessTask[ShardId] KinesisDataFetcher.getShardIterator.Success Count",
        "ProcessTask[ShardId] UpdateLease.Success Count",
        "ProcessTask[ShardId] UpdateLease.Time Milliseconds",
        "RenewAllLeases[WorkerIdentifier] RenewLease.Success Count",
        "ShardSyncTask CreateLease.Success Count",
        "ShardSyncTask CreateLease_TRIM_HORIZON.Success Count",
        "TakeLeases[WorkerIdentifier] ListLeases.Success Count",
        "TakeLeases[WorkerIdentifier] TakeLease.Success Count",
        "TakeLeases[WorkerIdentifier] TotalLeases Count",
      ]),
    );
  });

  it("count every record and byte once, and an idle page as nothing", async () => {
    const { rig, sink } = rigWith(2);
    rig.put(40);
    const worker = await rig.start();
    await rig.pass(flushMs + 1_000);
    rig.put(5);
    await rig.pass(flushMs + 1_000);
    await rig.close(worker);
    const bytes = worker.records.reduce((sum, { data }) => sum + data.length, 0);
    expect(worker.records).toHaveLength(45);
    expect(sink.sum("ProcessTask[ShardId] RecordsProcessed Count")).toBe(45);
    expect(sink.sum("ProcessTask[ShardId] DataBytesProcessed Bytes")).toBe(bytes);
    const [first] = sink.of("ProcessTask[ShardId] RecordsProcessed Count");
    expect(first?.min).toBe(0);
    expect(first?.count).toBeGreaterThan(3);
  });

  it("count what is read again as processed, but not its bytes, as the KCL does", async () => {
    const { rig, sink } = rigWith();
    rig.put(3);
    const first = await rig.start();
    await rig.until(() => first.records.length === 3);
    await rig.close(first);
    sink.batches.length = 0;
    rig.put(1);
    const second = await rig.start();
    await rig.until(() => second.records.length === 1);
    await rig.close(second);
    // From the checkpoint on, that is from the third record, which is not delivered again.
    expect(sink.sum("ProcessTask[ShardId] RecordsProcessed Count")).toBe(2);
    expect(sink.sum("ProcessTask[ShardId] DataBytesProcessed Bytes")).toBe(1);
  });

  it("tell a round of renewals as failed when one of them did", async () => {
    const { rig, sink } = rigWith(2);
    const worker = await rig.start();
    await rig.pass(flushMs + 1_000);
    const rounds = sink.of("RenewAllLeases[WorkerIdentifier] Success Count");
    expect(rounds).toMatchObject([{ min: 1, max: 1 }]);
    rig.table.before = (method) => {
      if (method === "write") throw new AwsUnavailableError("no answer");
    };
    await rig.pass(5_000);
    rig.table.before = () => {};
    await rig.pass(2 * flushMs);
    expect(sink.of("RenewAllLeases[WorkerIdentifier] Success Count")[1]).toMatchObject({ min: 0, max: 1 });
    expect(sink.sum("RenewAllLeases[WorkerIdentifier] LostLeases Count")).toBe(0);
    await rig.close(worker);
  });

  it("tell the end of a shard: its children's leases and its last checkpoint", async () => {
    const { rig, sink } = rigWith();
    rig.put(3);
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 3);
    rig.stream.split(idOf(0), 2n ** 127n, rig.clock.now());
    await rig.until(() => rig.lease(0)?.checkpoint.kind === "shard-end");
    await rig.close(worker);
    expect(sink.sum("ShutdownTask CreateLease.Success Count")).toBe(1);
    expect(sink.sum("ShutdownTask CreateLease_TRIM_HORIZON.Success Count")).toBe(2);
    expect(sink.sum("ShutdownTask[ShardId] UpdateLease.Success Count")).toBe(1);
  });

  it("tell the leases that are held, and those that another took", async () => {
    const { rig, sink } = rigWith(2);
    const worker = await rig.start({ instanceId: "7" });
    await rig.pass(flushMs + 1_000);
    expect(sink.of("RenewAllLeases[WorkerIdentifier] CurrentLeases Count")[0]).toMatchObject({
      max: 2,
      // That of the configuration, which a restart does not change.
      dimensions: [{}, { value: "7" }],
    });
    const lease = rig.lease(0);
    if (lease === undefined) throw new Error("no lease");
    rig.table.rows.set(lease.shardId, { ...lease, owner: "java-worker", counter: lease.counter + 1 });
    await rig.pass(2 * flushMs);
    expect(sink.sum("RenewAllLeases[WorkerIdentifier] LostLeases Count")).toBe(1);
    await rig.close(worker);
  });

  it("are neither measured nor sent at the level NONE", async () => {
    const { rig, sink } = rigWith();
    rig.put(3);
    const worker = await rig.start({ metricsLevel: "NONE" });
    await rig.pass(3 * flushMs);
    await rig.close(worker);
    expect(sink.calls).toBe(0);
  });

  it("cost one line in the log while CloudWatch refuses, and no record", async () => {
    const { rig, sink } = rigWith();
    sink.before = () => Promise.reject(new Error("not authorized"));
    rig.put(3);
    const worker = await rig.start();
    await rig.pass(5 * flushMs);
    rig.put(3);
    await rig.pass(flushMs);
    expect(worker.records).toHaveLength(6);
    expect(worker.failure).toBeUndefined();
    expect(sink.calls).toBeGreaterThanOrEqual(5);
    const lines = rig.logger.lines.filter(({ message }) => message.includes("CloudWatch"));
    expect(lines).toHaveLength(1);
    expect(lines[0]?.level).toBe("warn");
    await rig.close(worker);
  });

  it("hold back neither reading nor the end for more than a second while CloudWatch says nothing", async () => {
    const { rig, sink } = rigWith();
    rig.put(3);
    const worker = await rig.start();
    await rig.pass(flushMs + 1_000);
    sink.before = () => new Promise(() => {});
    rig.put(3);
    await rig.pass(2_000);
    expect(worker.records).toHaveLength(6);
    const startMs = rig.clock.monotonic();
    await rig.close(worker);
    expect(rig.clock.monotonic() - startMs).toBeLessThanOrEqual(1_100);
  });

  it("go out in portions that CloudWatch takes", async () => {
    const { rig, sink } = rigWith(12);
    sink.maxBatch = 20;
    const worker = await rig.start();
    await rig.pass(flushMs + 1_000);
    await rig.close(worker);
    expect(sink.batches.length).toBeGreaterThan(3);
    expect(Math.max(...sink.batches.map((batch) => batch.length))).toBe(20);
  });

  it("of the end go out with it", async () => {
    const { rig, sink } = rigWith();
    rig.put(3);
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 3);
    expect(sink.calls).toBe(0);
    await rig.close(worker);
    expect(sink.sum("ProcessTask[ShardId] RecordsProcessed Count")).toBe(3);
    expect(sink.sum("ProcessTask[ShardId] UpdateLease.Success Count")).toBe(1);
  });
});
