import { RecordingMeter, TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { RecentErrors } from "../../src/instance/recent-errors.ts";
import { ListSource, RecordWithoutFail, TestRecord } from "../support/list-source.ts";
import { startInstance } from "../support/start-instance.ts";
import { StepTransport, TestPublishError } from "../support/step-transport.ts";

describe("RecentErrors", () => {
  it("counts all and keeps the last ten, newest last, with the name of each", () => {
    const errors = new RecentErrors(new TestClock());
    for (let number = 1; number <= 12; number += 1) errors.add(new TypeError(`failure ${number}`));
    expect(errors.count).toBe(12);
    expect(errors.last.map(({ message }) => message)).toEqual(
      Array.from({ length: 10 }, (_, index) => `[TypeError]: failure ${index + 3}`),
    );
  });
});

describe("the code of a remembered failure", () => {
  it("follows the message, and stays whole after a long one", () => {
    const errors = new RecentErrors(new TestClock());
    errors.add(Object.assign(new Error("x".repeat(5_000)), { code: "LINE_TOO_LONG" }));
    const [{ message = "" } = {}] = errors.last;
    expect(message).toHaveLength(2_000);
    expect(message).toMatch(/^\[Error\]: x+ \[LINE_TOO_LONG\]$/);
  });
});

describe("the failures that an instance remembers", () => {
  it("counts each refused record, also those that end it, once", async () => {
    const transport = new StepTransport();
    const records = [new TestRecord("bad"), new RecordWithoutFail()];
    const { clock, ended, instance } = startInstance(new ListSource(records), transport);
    await clock.settle();
    transport.refuse(0, new TestPublishError("too large"));
    transport.refuse(0, new TestPublishError("topic terminated"));
    await ended;
    expect(instance.snapshot()).toMatchObject({ systemExceptions: 2, sourceExceptions: 0 });
    expect(instance.errors().system.map(({ message }) => message)).toEqual([
      "[TestPublishError]: too large [PIO_TEST_REFUSED]",
      "[TestPublishError]: topic terminated [PIO_TEST_REFUSED]",
    ]);
  });

  it("counts a failure of the source that ends it as the source's and as the system's, as Java does", async () => {
    const source = new ListSource([]);
    const { clock, ended, instance } = startInstance(source, new StepTransport());
    await clock.settle();
    source.context?.fatal(new RangeError("the well is dry"));
    await ended;
    const { system, source: own } = instance.errors();
    expect(system.map(({ message }) => message)).toEqual(["[RangeError]: the well is dry"]);
    expect(own).toEqual(system);
  });

  it("knows the bytes in flight and the time of the last receipt", async () => {
    const transport = new StepTransport();
    const records = [new TestRecord("four"), new TestRecord("seventy")];
    const { clock, instance, stop, ended } = startInstance(new ListSource(records), transport);
    await clock.settle();
    expect(instance.snapshot()).toMatchObject({ inFlightBytes: 11, lastWrittenTime: 0 });
    transport.confirm();
    expect(instance.snapshot()).toMatchObject({ inFlightBytes: 7, lastWrittenTime: clock.now() });
    transport.confirm();
    stop.abort();
    await ended;
    expect(instance.snapshot()).toMatchObject({ inFlightBytes: 0 });
  });

  it("measures how long each record waits for its receipt", async () => {
    const transport = new StepTransport();
    const meter = new RecordingMeter();
    const records = [new TestRecord("a"), new TestRecord("b"), new TestRecord("refused")];
    const { clock, stop, ended } = startInstance(new ListSource(records), transport, { meter });
    await clock.settle();
    await clock.advance(250);
    transport.confirm();
    await clock.advance(750);
    transport.confirm();
    transport.refuse(0, new TestPublishError("too large"));
    expect(meter.observations("pulsar_ts_io_receipt_latency_seconds")).toEqual([0.25, 1]);
    stop.abort();
    await ended;
  });
});
