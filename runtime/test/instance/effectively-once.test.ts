import type { SourceRecord } from "@pulsar-ts-io/core";
import {
  BrokerLimitError,
  InvalidSequenceIdError,
  ProducerBusyError,
  PulsarUnreachableError,
} from "@pulsar-ts-io/pulsar";
import { describe, expect, it } from "vitest";
import type { InstanceOptions } from "../../src/instance/instance-options.ts";
import { ListSource, TestRecord } from "../support/list-source.ts";
import { NumberedRecord } from "../support/numbered-record.ts";
import { type StartedInstance, startInstance, topic } from "../support/start-instance.ts";
import { StepTransport, TestPublishError } from "../support/step-transport.ts";

function start(
  source: ListSource,
  transport: StepTransport,
  overrides: Partial<InstanceOptions> = {},
): StartedInstance {
  return startInstance(source, transport, { guarantee: "EFFECTIVELY_ONCE", ...overrides });
}

/** Reads what it is given later, too. */
class OpenSource extends ListSource {
  #wake: () => void = () => undefined;

  give(record: SourceRecord): void {
    this.records.push(record);
    this.#wake();
  }

  override async read(): Promise<SourceRecord> {
    if (this.reads < this.records.length) return await super.read();
    const more = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([more, super.read()]);
    return await super.read();
  }
}

const busy = () => new ProducerBusyError("ProducerBusy: already connected", { details: { nameTaken: true } });

describe("Instance with EFFECTIVELY_ONCE", () => {
  it("publishes each partition by a producer of its name, under the record's own number", async () => {
    const transport = new StepTransport();
    const source = new ListSource([
      new NumberedRecord("a", 7),
      new NumberedRecord("b", 1),
      new NumberedRecord("a", 9),
    ]);
    const { clock, stop, ended } = start(source, transport);
    await clock.settle();
    const numbersOf = (partition: string) =>
      transport.unsettled.filter(({ producer }) => producer === partition).map((sent) => sent.sequenceId);
    expect(transport.unsettled).toHaveLength(3);
    expect(numbersOf("a")).toEqual([7n, 9n]);
    expect(numbersOf("b")).toEqual([1n]);
    expect(transport.log.filter((line) => line.startsWith("open"))).toEqual([
      `open ${topic}`, // to try whether it can be published to
      `open a to ${topic}`,
      `open b to ${topic}`,
    ]);
    while (transport.confirm());
    stop.abort();
    expect(await ended).toBeUndefined();
    expect(transport.openPublishers).toBe(0);
  });

  it("has a producer for each topic that a partition's records name", async () => {
    const transport = new StepTransport();
    const source = new ListSource([new NumberedRecord("a", 1), new NumberedRecord("a", 2, "elsewhere")]);
    const { clock, stop, ended } = start(source, transport);
    await clock.settle();
    expect(transport.unsettled.map((sent) => [sent.producer, sent.topic])).toEqual([
      ["a", topic],
      ["a", "elsewhere"],
    ]);
    while (transport.confirm());
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it("acknowledges a record that Pulsar had already, and counts it", async () => {
    const record = new NumberedRecord("a", 1);
    const transport = new StepTransport();
    const { clock, stop, ended, instance } = start(new ListSource([record]), transport);
    await clock.settle();
    transport.unsettled.shift()?.delivery.stored(undefined);
    expect(record.settlements).toEqual(["acknowledged"]);
    expect(instance.snapshot()).toMatchObject({ written: 1, duplicates: 1 });
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it.each<[string, object]>([
    ["no partition", { recordSequence: 1n }],
    ["no number", { partitionId: "a" }],
    ["an empty partition", { partitionId: "", recordSequence: 1n }],
    ["a number that is no bigint", { partitionId: "a", recordSequence: 1 }],
  ])("ends with PIO_UNNUMBERED_RECORD at a record with %s, and publishes it nowhere", async (_, fields) => {
    const transport = new StepTransport();
    const record = Object.assign(new TestRecord("unnumbered"), fields);
    const { ended } = start(new ListSource([record]), transport);
    expect(await ended).toMatchObject({ stage: "run", code: "PIO_UNNUMBERED_RECORD" });
    expect(transport.opened).toEqual([topic]);
    expect(record.settlements).toEqual([]);
  });

  it("blames the source when its numbers do not rise, and settles nothing", async () => {
    const record = new NumberedRecord("a", 1);
    const transport = new StepTransport();
    const { clock, ended } = start(new ListSource([record]), transport);
    await clock.settle();
    transport.refuse(0, new InvalidSequenceIdError("the sequence id 1 is not above 2"));
    expect(await ended).toMatchObject({ stage: "run", code: "PIO_INVALID_SEQUENCE_ID" });
    expect(record.settlements).toEqual([]);
  });

  it("closes a partition's producers at once when it is released, and gives up what is unconfirmed", async () => {
    const lost = new NumberedRecord("a", 1);
    const kept = new NumberedRecord("b", 1);
    const transport = new StepTransport();
    const source = new ListSource([lost, new NumberedRecord("a", 2, "elsewhere"), kept]);
    const { clock, stop, ended, instance } = start(source, transport);
    await clock.settle();
    await source.context?.releasePartition("a");
    expect(transport.log.slice(-2)).toEqual([`close a to ${topic}`, "close a to elsewhere"]);
    expect(transport.unsettled.map(({ producer }) => producer)).toEqual(["b"]);
    expect(lost.settlements).toEqual([]);
    expect(instance.snapshot()).toMatchObject({ inFlight: 1, failed: 0 });
    transport.confirm();
    expect(kept.settlements).toEqual(["acknowledged"]);
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it("opens a partition that comes back anew, once its old producer is closed", async () => {
    let closed: () => void = () => undefined;
    const transport = new StepTransport();
    const source = new OpenSource([new NumberedRecord("a", 1)]);
    const { clock, stop, ended } = start(source, transport);
    await clock.settle();
    transport.holdCloses(new Promise((resolve) => (closed = resolve)));
    const released = source.context?.releasePartition("a");
    source.give(new NumberedRecord("a", 1));
    await clock.settle();
    const openings = () => transport.log.filter((line) => line === `open a to ${topic}`).length;
    expect(openings()).toBe(1);
    closed();
    await released;
    await clock.settle();
    expect(openings()).toBe(2);
    expect(transport.unsettled.map(({ sequenceId }) => sequenceId)).toEqual([1n]);
    transport.confirm();
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it("gives up a record whose partition is released while it waits for room, and goes on with others", async () => {
    const waiting = new NumberedRecord("a", 2);
    const transport = new StepTransport({ window: 1 });
    const source = new ListSource([new NumberedRecord("a", 1), waiting, new NumberedRecord("b", 1)]);
    const { clock, stop, ended } = start(source, transport);
    await clock.settle();
    await source.context?.releasePartition("a");
    await clock.settle();
    expect(transport.unsettled.map(({ producer }) => producer)).toEqual(["b"]);
    transport.confirm();
    stop.abort();
    expect(await ended).toBeUndefined();
    expect(waiting.settlements).toEqual([]);
  });

  it("waits for whoever still has a partition's name, and then publishes", async () => {
    let refusals = 0;
    const opening = (_: string, producer: string | undefined) =>
      producer === "a" && refusals++ < 5 ? busy() : undefined;
    const transport = new StepTransport({ opening });
    const { clock, stop, ended } = start(new ListSource([new NumberedRecord("a", 1)]), transport);
    await clock.advance(5_000);
    expect(refusals).toBe(6);
    expect(transport.unsettled).toHaveLength(1);
    transport.confirm();
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it("ends with PIO_PRODUCER_BUSY when the other one keeps the name for 30 s", async () => {
    const transport = new StepTransport({
      opening: (_, producer) => (producer === "a" ? busy() : undefined),
    });
    const { clock, ended } = start(new ListSource([new NumberedRecord("a", 1)]), transport);
    await clock.advance(32_000);
    expect(await ended).toMatchObject({
      stage: "pulsar",
      code: "PIO_PRODUCER_BUSY",
      message: expect.stringContaining("another process publishes partition a"),
    });
  });

  it.each(["a", undefined])(
    "waits for as long as the topic is at its limit of producers when it opens the producer %s",
    async (name) => {
      let full = true;
      const limit = new BrokerLimitError("Topic 't' reached max producers limit");
      const transport = new StepTransport({
        opening: (_, producer) => (producer === name && full ? limit : undefined),
      });
      const { clock, stop, ended } = start(new ListSource([new NumberedRecord("a", 1)]), transport);
      await clock.advance(600_000);
      expect(transport.unsettled).toEqual([]);
      full = false;
      await clock.advance(5_000);
      expect(transport.unsettled).toHaveLength(1);
      transport.confirm();
      stop.abort();
      expect(await ended).toBeUndefined();
    },
  );

  it("does not blame another process where the whole topic is held exclusively", async () => {
    const held = new ProducerBusyError("Topic has an existing exclusive producer: x", {
      details: { holder: "x" },
      remedy: "stop the producer that has the topic exclusively",
    });
    const transport = new StepTransport({
      opening: (_, producer) => (producer === "a" ? held : undefined),
    });
    const { clock, ended } = start(new ListSource([new NumberedRecord("a", 1)]), transport);
    await clock.advance(32_000);
    expect(await ended).toMatchObject({
      code: "PIO_PRODUCER_BUSY",
      message: expect.stringContaining("exclusive producer: x"),
      remedy: expect.stringContaining("exclusively"),
    });
  });

  it("waits for a broker that is away just when a partition comes", async () => {
    let away = true;
    const unreachable = new PulsarUnreachableError("nothing listens there");
    const transport = new StepTransport({
      opening: (_, producer) => (producer === "a" && away ? unreachable : undefined),
    });
    const { clock, stop, ended, logger } = start(new ListSource([new NumberedRecord("a", 1)]), transport);
    await clock.advance(120_000);
    expect(logger.messages("warn")).toEqual(["publisher not opened, trying again"]);
    away = false;
    await clock.advance(5_000);
    expect(transport.unsettled).toHaveLength(1);
    transport.confirm();
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it("stops waiting for a name when its partition is released, and when it is told to stop", async () => {
    const transport = new StepTransport({
      opening: (_, producer) => (producer === undefined ? undefined : busy()),
    });
    const source = new ListSource([new NumberedRecord("a", 1), new NumberedRecord("b", 1)]);
    const { clock, stop, ended } = start(source, transport);
    await clock.settle();
    await source.context?.releasePartition("a");
    await clock.settle();
    expect(source.reads).toBe(2);
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it("closes a producer that was opened for a partition that was released meanwhile", async () => {
    let opened: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (opened = resolve));
    const transport = new StepTransport({ opening: (_, producer) => (producer === "a" ? held : undefined) });
    const source = new ListSource([new NumberedRecord("a", 1)]);
    const { clock, stop, ended } = start(source, transport);
    await clock.settle();
    await source.context?.releasePartition("a");
    opened();
    await clock.settle();
    expect(transport.openPublishers).toBe(0);
    expect(transport.unsettled).toEqual([]);
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it("never closes an idle partition's producer, however long it is idle", async () => {
    const transport = new StepTransport();
    const { clock, stop, ended } = start(new ListSource([new NumberedRecord("a", 1)]), transport);
    await clock.settle();
    transport.confirm();
    await clock.advance(7 * 3_600_000);
    expect(transport.openPublishers).toBe(1);
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it("asks about each topic once, the configured one before the source is opened", async () => {
    const asked: string[] = [];
    const transport = new StepTransport();
    const source = new ListSource([
      new NumberedRecord("a", 1, "elsewhere"),
      new NumberedRecord("b", 1, "elsewhere"),
      new NumberedRecord("b", 2),
    ]);
    const deduplication = {
      ensure: async (name: string) => {
        asked.push(name, ...(source.context === undefined ? ["before"] : []));
      },
    };
    const { clock, stop, ended } = start(source, transport, { deduplication });
    await clock.settle();
    expect(asked).toEqual([topic, "before", "elsewhere"]);
    while (transport.confirm());
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it("opens nothing of the source when the topic does not deduplicate", async () => {
    const log: string[] = [];
    const transport = new StepTransport({ log });
    const refusal = new TestPublishError("does not deduplicate");
    const { ended } = start(new ListSource([], log), transport, {
      deduplication: { ensure: () => Promise.reject(refusal) },
    });
    expect(await ended).toMatchObject({ stage: "pulsar", code: "PIO_TEST_REFUSED" });
    expect(log).not.toContain("open source");
  });
});

describe("Instance with MANUAL", () => {
  it("settles nothing: the source does it by itself", async () => {
    const [confirmed, refused] = [new TestRecord("confirmed"), new TestRecord("refused")];
    const transport = new StepTransport();
    const { clock, ended, instance } = startInstance(new ListSource([confirmed, refused]), transport, {
      guarantee: "MANUAL",
    });
    await clock.settle();
    transport.confirm();
    expect(confirmed.settlements).toEqual([]);
    expect(instance.snapshot().written).toBe(1);
    transport.refuse(0, new TestPublishError("too large"));
    expect(await ended).toMatchObject({ stage: "pulsar", code: "PIO_TEST_REFUSED" });
    expect(refused.settlements).toEqual([]);
  });
});
