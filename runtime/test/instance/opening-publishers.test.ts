import type { SourceRecord } from "@pulsar-ts-io/core";
import { ProducerBusyError } from "@pulsar-ts-io/pulsar";
import { describe, expect, it } from "vitest";
import { ListSource } from "../support/list-source.ts";
import { NumberedRecord } from "../support/numbered-record.ts";
import { startInstance } from "../support/start-instance.ts";
import { StepTransport } from "../support/step-transport.ts";

const busy = () => new ProducerBusyError("ProducerBusy: already connected");

/** A Pulsar in which somebody else has the names of `held`. */
function withHeld(held: Set<string>, window?: number): StepTransport {
  return new StepTransport({
    ...(window === undefined ? {} : { window }),
    opening: (_, producer) => (producer !== undefined && held.has(producer) ? busy() : undefined),
  });
}

function start(source: ListSource, transport: StepTransport) {
  return startInstance(source, transport, { guarantee: "EFFECTIVELY_ONCE" });
}

const sent = (transport: StepTransport) =>
  transport.unsettled.map(({ producer, sequenceId }) => `${producer}${sequenceId}`);

describe("a partition whose name another process still has", () => {
  it("holds up nobody else, and is published in its order once the name is free", async () => {
    const held = new Set(["a"]);
    const records = [1, 2, 3].flatMap((number) => [
      new NumberedRecord("a", number),
      new NumberedRecord("b", number),
    ]);
    const transport = withHeld(held);
    const { clock, stop, ended, instance } = start(new ListSource(records), transport);
    await clock.advance(3_000);
    expect(sent(transport)).toEqual(["b1", "b2", "b3"]);
    expect(instance.snapshot()).toMatchObject({ received: 6, inFlight: 6 });
    while (transport.confirm());
    held.delete("a");
    await clock.advance(2_000);
    expect(sent(transport)).toEqual(["a1", "a2", "a3"]);
    while (transport.confirm());
    expect(records.every(({ settlements }) => settlements[0] === "acknowledged")).toBe(true);
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it("has its first records sent before one that is read while it opens", async () => {
    const held = new Set(["a"]);
    const transport = withHeld(held);
    const records = [1, 2].map((number) => new NumberedRecord("a", number));
    const source = new ListSource(records);
    const { clock, stop, ended } = start(source, transport);
    await clock.settle();
    held.delete("a");
    source.records.push(new NumberedRecord("a", 3));
    await clock.advance(1_000);
    const [first, ...rest] = sent(transport);
    expect([first, ...rest].slice(0, 2)).toEqual(["a1", "a2"]);
    stop.abort();
    while (transport.confirm());
    expect(await ended).toBeUndefined();
  });

  it("keeps no more than its limit: reading stops until the name is free", async () => {
    const held = new Set(["a"]);
    const records = Array.from({ length: 10_500 }, (_, index) => new NumberedRecord("a", index));
    const transport = withHeld(held);
    const source = new ListSource(records);
    const { clock, stop, ended } = start(source, transport);
    for (let turn = 0; turn < 100; turn += 1) await clock.settle();
    expect(source.reads).toBe(10_001);
    held.delete("a");
    await clock.advance(2_000);
    for (let turn = 0; turn < 100; turn += 1) await clock.settle();
    expect(transport.unsettled.map(({ sequenceId }) => sequenceId)).toEqual(
      records.map((_, index) => BigInt(index)),
    );
    stop.abort();
    while (transport.confirm());
    expect(await ended).toBeUndefined();
  });

  it("is read again from where it was, when it is released and comes back, and nothing of before is sent", async () => {
    const held = new Set(["a"]);
    const before = [4, 5].map((number) => new NumberedRecord("a", number));
    const transport = withHeld(held);
    const source = new ListSource(before);
    const { clock, stop, ended, instance } = start(source, transport);
    await clock.advance(1_000);
    await source.context?.releasePartition("a");
    expect(instance.snapshot()).toMatchObject({ inFlight: 0, failed: 0 });
    held.delete("a");
    await clock.advance(2_000);
    expect(sent(transport)).toEqual([]);
    expect(transport.openPublishers).toBe(0);
    expect(before.flatMap(({ settlements }) => settlements)).toEqual([]);
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it("keeps no stop waiting: what it has not published is neither acknowledged nor failed", async () => {
    const records = [1, 2].map((number) => new NumberedRecord("a", number));
    const { clock, stop, ended, instance } = start(new ListSource(records), withHeld(new Set(["a"])));
    await clock.advance(1_000);
    const stoppedAt = clock.monotonic();
    stop.abort();
    expect(await ended).toBeUndefined();
    expect(clock.monotonic() - stoppedAt).toBeLessThan(1_000);
    expect(records.flatMap(({ settlements }) => settlements)).toEqual([]);
    expect(instance.snapshot()).toMatchObject({ inFlight: 0, inFlightBytes: 0, failed: 0 });
  });

  it("keeps no stop waiting that came while its first record was read", async () => {
    const stopping = new (class extends ListSource {
      override async read(): Promise<SourceRecord> {
        const record = await super.read();
        stop.abort();
        return record;
      }
    })([new NumberedRecord("a", 1)]);
    const { clock, stop, ended } = start(stopping, withHeld(new Set(["a"])));
    await clock.advance(1_000);
    expect(await Promise.race([ended, Promise.resolve("still running")])).toBeUndefined();
  });
});
