import { PulsarUnreachableError } from "@pulsar-ts-io/pulsar";
import { describe, expect, it } from "vitest";
import { ListSource, records, TestRecord } from "../support/list-source.ts";
import { startInstance, topic } from "../support/start-instance.ts";
import { StepTransport } from "../support/step-transport.ts";

describe("Instance with destination topics", () => {
  it("publishes each record where it says, and to the configured topic where it says nothing", async () => {
    const transport = new StepTransport();
    const source = new ListSource([
      new TestRecord("a", "one"),
      new TestRecord("b"),
      new TestRecord("c", "one"),
    ]);
    const { clock, stop, ended } = startInstance(source, transport);
    await clock.settle();
    expect(transport.unsettled.map((sent) => sent.topic)).toEqual(["one", topic, "one"]);
    expect(transport.opened).toEqual([topic, "one"]);
    while (transport.confirm());
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it("ends with PIO_NO_TOPIC when there is neither", async () => {
    const { ended } = startInstance(new ListSource(records(1)), new StepTransport(), { topic: undefined });
    expect(await ended).toMatchObject({ stage: "run", code: "PIO_NO_TOPIC" });
  });

  it("waits for a broker that is away just when a record names another topic, but not for one that never was there", async () => {
    const unreachable = new PulsarUnreachableError("nothing listens there");
    const opening = (name: string) => (name === "one" ? unreachable : undefined);
    const { clock, stop, ended } = startInstance(
      new ListSource([new TestRecord("a", "one")]),
      new StepTransport({ opening }),
    );
    await clock.advance(120_000);
    stop.abort();
    expect(await ended).toBeUndefined();
    const never = new StepTransport({ opening });
    const first = startInstance(new ListSource([new TestRecord("a", "one")]), never, { topic: undefined });
    expect(await first.ended).toMatchObject({ stage: "pulsar", code: "PIO_PULSAR_UNREACHABLE" });
  });

  it("closes a publisher that nothing was sent to for five minutes, but never the configured topic's", async () => {
    const transport = new StepTransport();
    const { clock, stop, ended } = startInstance(new ListSource([new TestRecord("a", "one")]), transport);
    await clock.settle();
    transport.confirm();
    await clock.advance(300_000);
    expect(transport.openPublishers).toBe(2);
    await clock.advance(120_000);
    expect(transport.openPublishers).toBe(1);
    expect(transport.log).toContain("close one");
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it("keeps a publisher open while a record of its topic is unconfirmed", async () => {
    const transport = new StepTransport();
    const { clock, stop, ended } = startInstance(new ListSource([new TestRecord("a", "one")]), transport);
    await clock.advance(3_600_000);
    expect(transport.openPublishers).toBe(2);
    transport.confirm();
    stop.abort();
    expect(await ended).toBeUndefined();
  });
});
