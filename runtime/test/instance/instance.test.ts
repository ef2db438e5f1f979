import { PushSource, type SourceContext, type SourceRecord } from "@pulsar-ts-io/core";
import { PulsarUnreachableError } from "@pulsar-ts-io/pulsar";
import { describe, expect, it } from "vitest";
import { InstanceFailedError } from "../../src/instance/errors.ts";
import { MemoryState } from "../../src/state/memory-state.ts";
import { ListSource, RecordWithoutFail, stopped, TestRecord } from "../support/list-source.ts";
import { startInstance, topic } from "../support/start-instance.ts";
import { StepTransport, TestPublishError } from "../support/step-transport.ts";

function records(count: number): TestRecord[] {
  return Array.from({ length: count }, (_, index) => new TestRecord(`record ${index}`));
}

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

  it("gives the source its context as Java's does", async () => {
    const source = new ListSource([]);
    const { clock, stop, ended } = startInstance(source, new StepTransport());
    await clock.settle();
    const { context } = source;
    expect(context).toMatchObject({
      tenant: "public",
      namespace: "default",
      sourceName: "test",
      instanceId: 0,
      numInstances: 1,
      outputTopic: topic,
    });
    expect(context?.secret("apiKey")).toBe("hidden");
    expect(context?.secret("other")).toBeUndefined();
    expect(context?.state).toBeInstanceOf(MemoryState);
    stop.abort();
    await ended;
  });

  it("states the largest lag of the source's partitions, once it is open", async () => {
    class Lagging extends ListSource {
      status() {
        return [{ id: "a", lagMs: 5 }, { id: "b", lagMs: 70 }, { id: "c" }];
      }
    }
    const { instance, stop, clock, ended } = startInstance(new Lagging([]), new StepTransport());
    expect(instance.snapshot().lagMs).toBeUndefined();
    await clock.settle();
    expect(instance.snapshot().lagMs).toBe(70);
    stop.abort();
    await ended;
  });

  it("goes on when the source's status throws", async () => {
    class Shy extends ListSource {
      status(): never {
        throw new Error("not now");
      }
    }
    const { instance, stop, clock, ended } = startInstance(new Shy([]), new StepTransport());
    await clock.settle();
    expect(instance.snapshot().lagMs).toBeUndefined();
    stop.abort();
    expect(await ended).toBeUndefined();
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
