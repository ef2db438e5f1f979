import { TroubleLog } from "@pulsar-ts-io/core";
import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { ConsumerMetrics } from "../../src/metrics/consumer-metrics.ts";
import { MemoryMetricSink } from "../support/memory-metric-sink.ts";

const flushMs = 10_000;

/** Metrics that are published until `stop` aborts. */
function publishing() {
  const clock = new TestClock();
  const logger = new RecordingLogger();
  const sink = new MemoryMetricSink();
  const metrics = new ConsumerMetrics(sink, {
    clock,
    logger,
    troubles: new TroubleLog({ clock, logger }),
    level: "DETAILED",
    workerIdentifier: "0",
  });
  const stop = new AbortController();
  const running = metrics.run(stop.signal);
  const measure = (count: number) => {
    for (let shard = 0; shard < count; shard += 1) {
      metrics.ofShard("ProcessTask", `shardId-${shard}`).add("RecordsProcessed", shard, "Count", "SUMMARY");
    }
  };
  return { clock, logger, sink, metrics, stop, running, measure };
}

describe("publishing metrics", () => {
  it("merges what is measured in ten seconds into one datum of each name and place", async () => {
    const { clock, sink, metrics, stop, running } = publishing();
    for (const value of [3, 5, 1])
      metrics.ofOperation("ApplicationTracker").add("MillisBehindLatest", value, "Milliseconds", "SUMMARY");
    await clock.advance(flushMs - 1);
    expect(sink.calls).toBe(0);
    await clock.advance(1);
    expect(sink.batches.flat()).toEqual([
      {
        name: "MillisBehindLatest",
        unit: "Milliseconds",
        dimensions: [{ name: "Operation", value: "ApplicationTracker" }],
        min: 1,
        max: 5,
        sum: 9,
        count: 3,
      },
    ]);
    await clock.advance(3 * flushMs);
    expect(sink.calls).toBe(1);
    stop.abort();
    await running;
  });

  it("does not wait for the ten seconds when thousands of different ones are there", async () => {
    const { clock, sink, stop, running, measure } = publishing();
    measure(5_000);
    await clock.advance(1);
    expect(sink.batches.map((batch) => batch.length)).toEqual(new Array(10).fill(500));
    stop.abort();
    await running;
  });

  it("keeps a bounded number while CloudWatch is slow, and says once how many it dropped", async () => {
    const { clock, logger, sink, stop, running, measure } = publishing();
    sink.before = () => new Promise(() => {});
    measure(1);
    await clock.advance(flushMs);
    measure(10_007);
    sink.before = () => Promise.resolve();
    await clock.advance(2 * flushMs);
    expect(sink.batches.flat()).toHaveLength(10_000);
    expect(logger.linesOf("metrics were dropped, too many different ones waited")).toMatchObject([
      { fields: { dropped: 7 } },
    ]);
    stop.abort();
    await running;
  });

  it("ends within a second however many calls the rest would be, each of them slow", async () => {
    const { clock, sink, metrics, stop, running, measure } = publishing();
    measure(4_000);
    stop.abort();
    await running;
    sink.before = () => clock.sleep(400, new AbortController().signal);
    const startMs = clock.monotonic();
    let endedMs: number | undefined;
    const finishing = metrics.finish(new AbortController().signal).then(() => {
      endedMs = clock.monotonic() - startMs;
    });
    await clock.advance(10_000);
    await finishing;
    expect(endedMs).toBe(1_000);
    expect(sink.calls).toBe(3);
  });

  it("says in one line that it fails, for as long as it does, and in one that it works again", async () => {
    const { clock, logger, sink, stop, running, measure } = publishing();
    sink.before = () => Promise.reject(new Error("denied"));
    for (let round = 0; round < 5; round += 1) {
      measure(1);
      await clock.advance(flushMs);
    }
    expect(sink.calls).toBe(5);
    expect(logger.messages("warn")).toEqual(["publishing metrics to CloudWatch failing, retrying"]);
    sink.before = () => Promise.resolve();
    measure(1);
    await clock.advance(flushMs);
    expect(logger.messages("info")).toEqual(["publishing metrics to CloudWatch recovered"]);
    stop.abort();
    await running;
  });
});
