import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { SourceMonitor } from "../../src/observe/source-monitor.ts";
import type { InstanceReport } from "../../src/supervise/instance-report.ts";
import { parseExposition } from "../support/exposition.ts";
import { report } from "../support/report.ts";

const identity = { tenant: "public", namespace: "default", name: "eo", cluster: "local" };

function monitor(look: () => InstanceReport) {
  const clock = new TestClock();
  const logger = new RecordingLogger();
  const reports = async () => [look()];
  const watching = new SourceMonitor({ reports }, identity, { clock, logger });
  const stop = new AbortController();
  const ended = watching.run(stop.signal);
  const value = async (name: string) =>
    parseExposition(await watching.metrics()).find((sample) => sample.name === name)?.value;
  return { clock, logger, watching, stop, ended, value };
}

describe("SourceMonitor", () => {
  it("sets the counts of the minute to zero once a minute, and looks every ten seconds", async () => {
    let received = 5;
    const { clock, watching, stop, ended, value } = monitor(() => report({ counts: { received } }));
    await clock.advance(59_000);
    expect(await value("pulsar_source_received_1min_total")).toBe(5);
    await clock.advance(1_000);
    expect(await value("pulsar_source_received_1min_total")).toBe(0);
    received = 12;
    await clock.advance(59_000);
    expect(await value("pulsar_source_received_1min_total")).toBe(7);
    await clock.advance(1_000);
    expect(await value("pulsar_source_received_1min_total")).toBe(0);
    expect(watching.history.samples).toHaveLength(13);
    stop.abort(new Error("stop"));
    await ended;
  });

  it("outlives a look that fails", async () => {
    let broken = false;
    const { clock, logger, watching, stop, ended, value } = monitor(() => {
      if (broken) throw new Error("no answer");
      return report({ counts: { received: 5 } });
    });
    await clock.advance(100_000);
    broken = true;
    await clock.advance(20_000);
    broken = false;
    await clock.advance(10_000);
    expect(watching.history.samples).toHaveLength(12);
    expect(await value("pulsar_source_received_1min_total")).toBe(0);
    expect(logger.messages("debug")).toEqual(["source cannot be looked at", "source cannot be looked at"]);
    stop.abort(new Error("stop"));
    await ended;
  });
});
