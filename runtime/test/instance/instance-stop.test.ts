import type { SourceRecord } from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";
import { InstanceFailedError } from "../../src/instance/errors.ts";
import { ListSource, records, TestRecord } from "../support/list-source.ts";
import { startInstance, topic } from "../support/start-instance.ts";
import { StepTransport, TestPublishError } from "../support/step-transport.ts";

describe("The end of an instance", () => {
  it("stops in order: reading, receipts, source, publishers, transport", async () => {
    const log: string[] = [];
    const transport = new StepTransport({ log });
    const [record] = records(1);
    const source = new ListSource(record === undefined ? [] : [record], log);
    const { clock, stop, ended } = startInstance(source, transport);
    await clock.settle();
    stop.abort();
    await clock.settle();
    expect(log).toEqual([`open ${topic}`, "open source", `flush ${topic}`]);
    transport.confirm();
    expect(await ended).toBeUndefined();
    expect(record?.settlements).toEqual(["acknowledged"]);
    expect(log.slice(3)).toEqual(["close source", `close ${topic}`, "close transport"]);
  });

  it("opens nothing of the source when Pulsar refuses the topic", async () => {
    const log: string[] = [];
    const refusal = new TestPublishError("no such tenant");
    const transport = new StepTransport({ log, refuse: new Map([[topic, refusal]]) });
    const { ended } = startInstance(new ListSource([], log), transport);
    const error = await ended;
    expect(error).toBeInstanceOf(InstanceFailedError);
    expect(error).toMatchObject({ stage: "pulsar", code: "PIO_TEST_REFUSED", remedy: "do something else" });
    expect(log).toEqual(["close transport"]);
  });

  it("closes a source whose open failed, and names the stage", async () => {
    class Closed extends ListSource {
      override open(): Promise<void> {
        return Promise.reject(new Error("out of reach"));
      }
    }
    const source = new Closed([]);
    const { ended } = startInstance(source, new StepTransport());
    expect(await ended).toMatchObject({
      stage: "open",
      code: "PIO_INSTANCE_FAILED",
      message: "the source could not be opened: out of reach",
    });
    expect(source.closed).toBe(1);
  });

  it("drains what was read before read failed, then ends with that failure", async () => {
    const before = new TestRecord("before");
    class Failing extends ListSource {
      override read(): Promise<SourceRecord> {
        return this.reads === 0 ? super.read() : Promise.reject(new Error("torn"));
      }
    }
    const transport = new StepTransport();
    const source = new Failing([before]);
    const { clock, ended } = startInstance(source, transport);
    await clock.settle();
    expect(source.closed).toBe(0);
    transport.confirm();
    expect(await ended).toMatchObject({ stage: "run", message: "the source failed: torn" });
    expect(before.settlements).toEqual(["acknowledged"]);
    expect(source.closed).toBe(1);
  });

  it("still sends the record that waited for room when the stop came", async () => {
    const all = records(4);
    const transport = new StepTransport({ window: 3 });
    const { clock, stop, ended } = startInstance(new ListSource(all), transport);
    await clock.settle();
    stop.abort();
    await clock.settle();
    expect(transport.unsettled).toHaveLength(4);
    while (transport.confirm());
    expect(await ended).toBeUndefined();
    expect(all.every(({ settlements }) => settlements[0] === "acknowledged")).toBe(true);
  });

  it("gives up on receipts after the drain time, and settles nothing with a closed source", async () => {
    const record = new TestRecord("unconfirmed");
    const transport = new StepTransport();
    const { clock, stop, ended, instance } = startInstance(new ListSource([record]), transport);
    await clock.settle();
    const [sent] = transport.unsettled;
    stop.abort();
    await clock.advance(25_000);
    expect(await ended).toMatchObject({ stage: "pulsar", code: "PIO_SHUTDOWN_TIMEOUT" });
    sent?.delivery.stored({ ledgerId: 1n, entryId: 1n, partition: -1, batchIndex: -1 });
    expect(record.settlements).toEqual([]);
    expect(instance.snapshot()).toMatchObject({ inFlight: 0, failed: 0, written: 0 });
  });

  it("settles nothing with a source that is storing its last position, and sends nothing more of it", async () => {
    let close: () => void = () => undefined;
    let late: (record: SourceRecord) => void = () => undefined;
    class Slow extends ListSource {
      override read(): Promise<SourceRecord> {
        if (this.reads === 0) return super.read();
        return new Promise((resolve) => {
          late = resolve;
        });
      }

      override close(): Promise<void> {
        return new Promise((resolve) => {
          close = resolve;
        });
      }
    }
    const record = new TestRecord("unconfirmed");
    const transport = new StepTransport();
    const { clock, stop, ended, instance } = startInstance(new Slow([record]), transport);
    await clock.settle();
    stop.abort();
    await clock.advance(30_000); // 5 s for the read, 25 s for the receipt
    late(new TestRecord("late"));
    await clock.settle();
    expect(transport.unsettled).toHaveLength(1);
    transport.confirm();
    expect(record.settlements).toEqual([]);
    expect(instance.snapshot().written).toBe(1);
    close();
    expect(await ended).toMatchObject({ code: "PIO_SHUTDOWN_TIMEOUT" });
  });

  it("goes on without a source that does not notice the stop, and drops what it reads later", async () => {
    let late: (record: SourceRecord) => void = () => undefined;
    class Deaf extends ListSource {
      override read(): Promise<SourceRecord> {
        return new Promise((resolve) => {
          late = resolve;
        });
      }
    }
    const source = new Deaf([]);
    const transport = new StepTransport();
    const { clock, stop, ended } = startInstance(source, transport);
    await clock.settle();
    stop.abort();
    await clock.advance(5_000);
    expect(await ended).toBeUndefined();
    expect(source.closed).toBe(1);
    const record = new TestRecord("late");
    late(record);
    await clock.settle();
    expect(transport.unsettled).toEqual([]);
    expect(record.settlements).toEqual([]);
  });

  it("gives up on a source that does not close", async () => {
    class Clinging extends ListSource {
      override close(): Promise<void> {
        return new Promise(() => undefined);
      }
    }
    const { clock, stop, ended, instance } = startInstance(new Clinging([]), new StepTransport());
    await clock.settle();
    stop.abort();
    await clock.advance(30_000);
    expect(await ended).toMatchObject({ stage: "close", code: "PIO_SHUTDOWN_TIMEOUT" });
    expect(instance.lingering).toBe(true);
  });

  it("is done with a source that closed, and with one that failed to", async () => {
    class Failing extends ListSource {
      override close(): Promise<void> {
        return Promise.reject(new Error("no"));
      }
    }
    for (const source of [new ListSource([]), new Failing([])]) {
      const { clock, stop, ended, instance } = startInstance(source, new StepTransport());
      await clock.settle();
      expect(instance.opened).toBe(true);
      stop.abort();
      await ended;
      expect(instance.lingering).toBe(false);
    }
  });

  it("opens nothing when it was stopped before it began", async () => {
    const log: string[] = [];
    const transport = new StepTransport({ log });
    const started = startInstance(new ListSource([], log), transport, {});
    started.stop.abort();
    expect(await started.ended).toBeUndefined();
    expect(log.filter((line) => line === "open source")).toEqual([]);
  });
});
