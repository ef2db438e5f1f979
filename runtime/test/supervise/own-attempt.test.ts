import { type Source, silentLogger, TroubleLog } from "@pulsar-ts-io/core";
import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { MetricRegistry } from "../../src/observe/metric-registry.ts";
import { OwnAttempt } from "../../src/supervise/own-attempt.ts";
import { ListSource, TestRecord } from "../support/list-source.ts";
import { makeInstance, startInstance } from "../support/start-instance.ts";
import { StepTransport } from "../support/step-transport.ts";

const host = {
  limits: { stallTimeoutMs: 300_000, maxMemoryBytes: undefined },
  logger: silentLogger,
  residentBytes: () => 0,
};

/** An instance that runs in this process under a watch of 5 minutes and 100 MB. */
async function run(source: Source<unknown>, transport: StepTransport) {
  const clock = new TestClock();
  const logger = new RecordingLogger();
  const memory = { bytes: 50 * 1_048_576 };
  const instance = makeInstance(source, transport, { clock, logger });
  const attempt = new OwnAttempt(
    instance,
    {},
    {
      limits: { stallTimeoutMs: 300_000, maxMemoryBytes: 100 * 1_048_576 },
      clock,
      logger,
      residentBytes: () => memory.bytes,
      metrics: new MetricRegistry(clock),
    },
  );
  const stop = new AbortController();
  const outcome: { error?: unknown } = {};
  const ended = attempt.run(stop.signal).catch((error: unknown) => {
    outcome.error = error;
  });
  await clock.settle();
  return { attempt, clock, logger, memory, stop, ended, outcome };
}

/** Never reads anything, however far it says it is behind. */
class LaggingSource extends ListSource {
  lagMs = 1_000_000;

  status() {
    return [{ id: "only", lagMs: this.lagMs }];
  }
}

describe("OwnAttempt", () => {
  it("calls an instance stalled whose records nobody confirms, and not one that merely has none", async () => {
    const transport = new StepTransport();
    const { clock, instance, stop, ended } = startInstance(new ListSource([new TestRecord("a")]), transport);
    const attempt = new OwnAttempt(instance, {}, { ...host, clock, metrics: new MetricRegistry(clock) });
    await clock.settle();
    expect(attempt.view().stalled).toBeUndefined();
    await clock.advance(59_000);
    expect(attempt.view().stalled).toBeUndefined();
    await clock.advance(1_000);
    expect(attempt.view().stalled).toContain("Pulsar has confirmed nothing for 60 s");
    transport.confirm();
    expect(attempt.view().stalled).toBeUndefined();
    await clock.advance(600_000);
    expect(attempt.view().stalled).toBeUndefined();
    stop.abort();
    await ended;
  });

  it("tells what its parts measured", async () => {
    const metrics = new MetricRegistry(new TestClock());
    metrics.counter("x_total", "x").add(2);
    const { clock, instance } = startInstance(new ListSource([]), new StepTransport());
    const attempt = new OwnAttempt(instance, {}, { ...host, clock, metrics });
    expect(await attempt.metrics()).toMatchObject([{ name: "x_total", samples: [{ value: 2 }] }]);
  });

  it("reports a stall after a minute, and fails after five more, so that it is started again", async () => {
    const { attempt, clock, logger, outcome, ended } = await run(
      new ListSource([new TestRecord("a")]),
      new StepTransport(),
    );
    await clock.advance(62_000);
    expect(attempt.view().stalled).toContain("Pulsar has confirmed nothing");
    expect(logger.linesOf("instance stalled")).toMatchObject([
      { level: "warn", fields: { reason: expect.stringContaining("Pulsar has confirmed nothing") } },
    ]);
    await clock.advance(298_000);
    expect(outcome.error).toBeUndefined();
    await clock.advance(40_000); // its drain waits for the same receipts
    await ended;
    expect(outcome.error).toMatchObject({ stage: "pulsar", code: "PIO_STALLED" });
  });

  it("blames the source when nothing is in flight, and it is behind", async () => {
    const { clock, outcome, ended } = await run(new LaggingSource([]), new StepTransport());
    await clock.advance(370_000);
    await ended;
    expect(outcome.error).toMatchObject({ stage: "run", code: "PIO_STALLED" });
  });

  it("says so when it moves again, and begins to count anew", async () => {
    const source = new LaggingSource([]);
    const { clock, logger, outcome, stop, ended } = await run(source, new StepTransport());
    await clock.advance(200_000);
    source.lagMs = 500;
    await clock.advance(1_000);
    expect(logger.messages("info")).toContain("instance moves again");
    source.lagMs = 1_000_000;
    await clock.advance(300_000);
    expect(logger.linesOf("instance stalled")).toHaveLength(2);
    expect(outcome.error).toBeUndefined();
    stop.abort();
    await ended;
    expect(outcome.error).toBeUndefined();
  });

  it("drains and fails when its process has more memory than it may", async () => {
    const source = new ListSource([]);
    const { clock, memory, outcome, ended } = await run(source, new StepTransport());
    memory.bytes = 100 * 1_048_576;
    await clock.advance(10_000);
    expect(outcome.error).toBeUndefined();
    memory.bytes += 1_048_576;
    await clock.advance(1_000);
    await ended;
    expect(outcome.error).toMatchObject({ stage: "run", code: "PIO_MEMORY_CEILING" });
    expect(String(outcome.error)).toContain(
      "has 101 MB of memory resident, more than the 100 MB of --max-memory",
    );
    expect(source.closed).toBe(1);
  });

  it("passes the instance's own failure on, and looks at it no longer", async () => {
    const source = new ListSource([]);
    const { clock, outcome, ended } = await run(source, new StepTransport());
    source.context?.fatal(new Error("the well is dry"));
    await ended;
    expect(outcome.error).toMatchObject({ stage: "run", message: "the source failed: the well is dry" });
    expect(clock.sleepers).toBe(0);
  });

  it("counts a process that takes too much memory as a system exception", async () => {
    const { attempt, clock, memory, ended, outcome } = await run(new ListSource([]), new StepTransport());
    memory.bytes = 101 * 1_048_576;
    await clock.advance(1_000);
    await ended;
    expect(outcome.error).toMatchObject({ code: "PIO_MEMORY_CEILING" });
    expect(attempt.view()).toMatchObject({ counts: { systemExceptions: 1 }, errors: { system: [{}] } });
  });

  it("waits out an outage that explains a stall, and restarts for a stall that nothing explains", async () => {
    const clock = new TestClock();
    const logger = new RecordingLogger();
    const troubles = new TroubleLog({ clock, logger });
    const instance = makeInstance(new LaggingSource([]), new StepTransport(), { clock, logger, troubles });
    const attempt = new OwnAttempt(instance, {}, { ...host, clock, metrics: new MetricRegistry(clock) });
    const outcome: { error?: unknown } = {};
    void attempt.run(new AbortController().signal).catch((error: unknown) => {
      outcome.error = error;
    });
    await clock.settle();
    const outage = troubles.of("position store");
    outage.failed("scan", new Error("connection refused"));
    await clock.advance(3_600_000);
    expect(attempt.view().stalled).toMatch(/^position store has failed for 3600 s: connection refused/);
    expect(outcome.error).toBeUndefined();
    outage.recovered("scan");
    await clock.advance(360_000);
    expect(outcome.error).toMatchObject({ code: "PIO_STALLED" });
  });
});
