import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { MetricRegistry } from "../../src/observe/metric-registry.ts";
import { OwnAttempt } from "../../src/supervise/own-attempt.ts";
import { ListSource, TestRecord } from "../support/list-source.ts";
import { startInstance } from "../support/start-instance.ts";
import { StepTransport } from "../support/step-transport.ts";

describe("OwnAttempt", () => {
  it("calls an instance stalled whose records nobody confirms, and not one that merely has none", async () => {
    const transport = new StepTransport();
    const { clock, instance, stop, ended } = startInstance(new ListSource([new TestRecord("a")]), transport);
    const attempt = new OwnAttempt(instance, {}, { clock, metrics: new MetricRegistry(clock) });
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
    const attempt = new OwnAttempt(instance, {}, { clock, metrics });
    expect(await attempt.metrics()).toMatchObject([{ name: "x_total", samples: [{ value: 2 }] }]);
  });
});
