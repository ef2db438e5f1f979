import { PushSource, type SourceContext, type SourceRecord } from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";
import { ListSource, RecordWithoutFail, records, stopped, TestRecord } from "../support/list-source.ts";
import { startInstance } from "../support/start-instance.ts";
import { StepTransport, TestPublishError } from "../support/step-transport.ts";

describe("Instance", () => {
  it("acknowledges a record when its receipt arrives, and not before", async () => {
    const [first, second] = [new TestRecord("first"), new TestRecord("second")];
    const transport = new StepTransport();
    const { clock, stop, ended, instance } = startInstance(new ListSource([first, second]), transport);
    await clock.settle();
    expect([first.settlements, second.settlements]).toEqual([[], []]);
    transport.confirm(1);
    expect([first.settlements, second.settlements]).toEqual([[], ["acknowledged"]]);
    expect(instance.snapshot()).toMatchObject({ received: 2, written: 1, inFlight: 1, writtenBytes: 6 });
    transport.confirm();
    stop.abort();
    expect(await ended).toBeUndefined();
    expect(first.settlements).toEqual(["acknowledged"]);
  });

  it("sends the record's own bytes, uncopied", async () => {
    const record = new TestRecord("as it is");
    const transport = new StepTransport();
    const { clock, stop, ended } = startInstance(new ListSource([record]), transport);
    await clock.settle();
    expect(transport.unsettled[0]?.message.value).toBe(record.value);
    transport.confirm();
    stop.abort();
    await ended;
  });

  it("reads no further than the publisher has room for", async () => {
    const transport = new StepTransport({ window: 3 });
    const source = new ListSource(records(10));
    const { clock, stop, ended } = startInstance(source, transport);
    await clock.settle();
    expect(transport.unsettled).toHaveLength(3);
    expect(source.reads).toBe(4); // the fourth waits for room
    transport.confirm();
    await clock.settle();
    expect(source.reads).toBe(5);
    stop.abort();
    await clock.settle();
    while (transport.confirm());
    await ended;
  });

  it("fails the one record that Pulsar refuses, and goes on", async () => {
    const [bad, good] = [new TestRecord("bad"), new TestRecord("good")];
    const transport = new StepTransport();
    const { clock, stop, ended, instance } = startInstance(new ListSource([bad, good]), transport);
    await clock.settle();
    const refusal = new TestPublishError("too large");
    transport.refuse(0, refusal);
    transport.confirm();
    expect(bad.error).toEqual([refusal]);
    expect(good.settlements).toEqual(["acknowledged"]);
    expect(instance.snapshot()).toMatchObject({ failed: 1, written: 1, inFlight: 0 });
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it("ends when Pulsar refuses a record whose source cannot be told", async () => {
    const record = new RecordWithoutFail();
    const transport = new StepTransport();
    const { clock, ended } = startInstance(new ListSource([record]), transport);
    await clock.settle();
    transport.refuse(0, new TestPublishError("too large"));
    expect(await ended).toMatchObject({ stage: "pulsar", message: "publishing to Pulsar failed: too large" });
    expect(record.acknowledged).toBe(0);
  });

  it("blames Pulsar, not the source, when the source passes a refusal on to fatal", async () => {
    const source = new ListSource([]);
    const record = new TestRecord("refused");
    record.fail = (error) => source.context?.fatal(new Error("cannot go on", { cause: error }));
    source.records.push(record);
    const transport = new StepTransport();
    const { clock, ended } = startInstance(source, transport);
    await clock.settle();
    transport.refuse(0, new TestPublishError("topic terminated"));
    expect(await ended).toMatchObject({ stage: "pulsar" });
  });

  it("ends with the first fatal error of the source", async () => {
    const source = new ListSource([]);
    const { clock, ended } = startInstance(source, new StepTransport());
    await clock.settle();
    source.context?.fatal(new Error("first"));
    source.context?.fatal(new Error("second"));
    expect(await ended).toMatchObject({ stage: "run", message: "the source failed: first" });
    expect(source.closed).toBe(1);
  });

  it("ends when the publisher can publish nothing any more, and acknowledges nothing", async () => {
    const all = records(3);
    const transport = new StepTransport({ window: 2 });
    const { clock, ended } = startInstance(new ListSource(all), transport);
    await clock.settle();
    transport.breakDown(new TestPublishError("authorisation withdrawn"));
    expect(await ended).toMatchObject({ stage: "pulsar", code: "PIO_TEST_REFUSED" });
    expect(all.flatMap(({ settlements }) => settlements)).toEqual([]);
  });

  it("lets timers run beside a source and a publisher that never wait", async () => {
    class Endless extends ListSource {
      override async read(): Promise<SourceRecord> {
        if (this.signal.aborted) return stopped(this.signal);
        this.reads += 1;
        if (this.reads > 3_000) throw new Error("nobody else had a turn");
        return new TestRecord("more");
      }
    }
    const transport = new StepTransport();
    const { stop, ended, clock } = startInstance(new Endless([]), transport);
    await clock.settle();
    stop.abort();
    await clock.settle();
    while (transport.confirm());
    expect(await ended).toBeUndefined();
  });

  it("takes records from a PushSource, and ends with the error it is notified of", async () => {
    class Pushing extends PushSource<unknown> {
      readonly sent = new TestRecord("pushed");

      override async open(config: unknown, context: SourceContext): Promise<void> {
        await super.open(config, context);
        await this.consume(this.sent);
        await this.notifyError(new Error("subscription lost"));
      }

      close(): Promise<void> {
        return Promise.resolve();
      }
    }
    const source = new Pushing();
    const transport = new StepTransport();
    const { clock, ended } = startInstance(source, transport);
    await clock.settle();
    transport.confirm();
    expect(await ended).toMatchObject({ stage: "run", message: "the source failed: subscription lost" });
    expect(source.sent.settlements).toEqual(["acknowledged"]);
  });

  it.each([
    ["null", null],
    ["undefined", undefined],
    ["text", "a record?"],
    ["a record without a value", { ack: () => undefined }],
  ])("ends with PIO_SOURCE_CONTRACT when read returns %s", async (_, value) => {
    class Wrong extends ListSource {
      override read(): Promise<SourceRecord> {
        return Promise.resolve(value as unknown as SourceRecord); // what a connector in JavaScript may do
      }
    }
    const { ended } = startInstance(new Wrong([]), new StepTransport());
    expect(await ended).toMatchObject({ stage: "run", code: "PIO_SOURCE_CONTRACT" });
  });

  it("ends when ack throws, instead of losing count", async () => {
    const record = new TestRecord("throws");
    record.ack = () => {
      throw new Error("not now");
    };
    const transport = new StepTransport();
    const { clock, ended, instance } = startInstance(new ListSource([record]), transport);
    await clock.settle();
    transport.confirm();
    expect(await ended).toMatchObject({ stage: "run", message: "the source failed: not now" });
    expect(instance.snapshot()).toMatchObject({ written: 1, inFlight: 0 });
  });
});

describe("Instance with ATMOST_ONCE", () => {
  it("acknowledges before it sends, and only logs a refusal", async () => {
    const [record] = records(1);
    const transport = new StepTransport();
    const source = new ListSource(record === undefined ? [] : [record]);
    const { clock, stop, ended, instance } = startInstance(source, transport, { guarantee: "ATMOST_ONCE" });
    await clock.settle();
    expect(record?.settlements).toEqual(["acknowledged"]);
    transport.refuse(0, new TestPublishError("too large"));
    expect(record?.settlements).toEqual(["acknowledged"]);
    expect(instance.snapshot()).toMatchObject({ failed: 1, written: 0 });
    stop.abort();
    expect(await ended).toBeUndefined();
  });
});
