import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { InProcessSource } from "../../src/observe/in-process-source.ts";
import { MetricRegistry } from "../../src/observe/metric-registry.ts";
import { ListSource, TestRecord } from "../support/list-source.ts";
import { type StartedInstance, startInstance } from "../support/start-instance.ts";
import { StepTransport } from "../support/step-transport.ts";

function watch({ instance, clock }: StartedInstance): InProcessSource {
  const metrics = new MetricRegistry(new TestClock());
  const mask = (text: string) => text.replaceAll("hunter2", "***");
  return new InProcessSource(instance, { instanceId: 3, clock, metrics, mask });
}

describe("InProcessSource", () => {
  it("tells the state of its instance from its start to its end", async () => {
    const started = startInstance(new ListSource([]), new StepTransport());
    const source = watch(started);
    const state = async () => (await source.reports())[0]?.state;
    expect(await state()).toBe("starting");
    await started.clock.settle();
    expect(await state()).toBe("running");
    started.stop.abort();
    expect(await state()).toBe("draining");
    await started.ended;
    expect(await state()).toBe("stopped");
  });

  it("tells why its instance failed, without the secrets", async () => {
    const list = new ListSource([]);
    const started = startInstance(list, new StepTransport());
    await started.clock.settle();
    list.context?.fatal(new Error("login with hunter2 refused"));
    await started.ended;
    const [report] = await watch(started).reports();
    expect(report).toMatchObject({
      instanceId: 3,
      state: "failed",
      error: "[Error]: login with *** refused",
    });
    expect(JSON.stringify(report)).not.toContain("hunter2");
  });

  it("calls an instance stalled whose records nobody confirms, and not one that merely has none", async () => {
    const transport = new StepTransport();
    const started = startInstance(new ListSource([new TestRecord("a")]), transport);
    const source = watch(started);
    const stalled = async () => (await source.reports())[0]?.stalled;
    await started.clock.settle();
    expect(await stalled()).toBeUndefined();
    await started.clock.advance(59_000);
    expect(await stalled()).toBeUndefined();
    await started.clock.advance(1_000);
    expect(await stalled()).toBe("Pulsar has confirmed nothing for 60 s, and 1 records wait for it");
    transport.confirm();
    expect(await stalled()).toBeUndefined();
    await started.clock.advance(600_000);
    expect(await stalled()).toBeUndefined();
    started.stop.abort();
    await started.ended;
  });
});
