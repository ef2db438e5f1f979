import type { TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FakeBroker } from "../harness/fake-broker.ts";
import type { Deliveries } from "../harness/recorded-delivery.ts";
import { until } from "../harness/until.ts";
import { never } from "../harness/wire.ts";
import { batched, numberedMessage, numbersSent, WireRig } from "../harness/wire-rig.ts";

describe("a publisher that forms batches", () => {
  let rig: WireRig;
  let broker: FakeBroker;
  let clock: TestClock;
  let deliveries: Deliveries;

  beforeEach(() => {
    rig = new WireRig();
    ({ broker, clock, deliveries } = rig);
  });

  afterEach(() => rig.end());

  it("sends them after the delay, with the ids of first and last", async () => {
    const publisher = await rig.open(batched);
    rig.send(publisher, 0, 1);
    await clock.advance(9);
    await clock.settle();
    expect(broker.sends).toEqual([]);
    await clock.advance(1);
    await until(() => broker.sends.length === 1, clock);
    expect(broker.sends).toMatchObject([{ sequenceId: 0, highestSequenceId: 1, numMessages: 2 }]);
  });

  it("gives a batch that begins later its own delay", async () => {
    const publisher = await rig.open({
      ...batched,
      batching: { maxDelayMs: 10, maxMessages: 2, maxBytes: 1e5 },
    });
    rig.send(publisher, 0);
    await clock.advance(6);
    rig.send(publisher, 1, 2);
    await until(() => broker.sends.length === 1, clock);
    await clock.advance(9);
    await clock.settle();
    expect(numbersSent(broker)).toEqual([[0, 1]]);
    await clock.advance(1);
    await until(() => broker.sends.length === 2, clock);
  });

  it("sends them at their limits of messages and bytes, and a batch of one as a plain message", async () => {
    const publisher = await rig.open({
      ...batched,
      batching: { maxDelayMs: 1e6, maxMessages: 3, maxBytes: 400 },
    });
    rig.send(publisher, 0, 1, 2);
    deliveries.send(publisher, { value: Buffer.alloc(200, "message 3") });
    deliveries.send(publisher, { value: Buffer.alloc(200, "message 4") });
    deliveries.send(publisher, { value: Buffer.alloc(2_000, "message 5") });
    await until(() => broker.sends.length === 4, clock);
    expect(broker.sends.map((one) => one.messages.map((each) => each.batchIndex))).toEqual([
      [0, 1, 2],
      [-1],
      [-1],
      [-1],
    ]);
    expect(broker.sends.map((one) => one.sequenceId)).toEqual([0, 3, 4, 5]);
  });

  it("keeps them below what the broker takes, whatever was asked for, and however long the first one's key is", async () => {
    broker.maxMessageSize = 10_000;
    const publisher = await rig.open(batched);
    // The key of the first goes into the batch's own metadata again.
    for (let index = 0; index < 60; index += 1) {
      deliveries.send(publisher, {
        value: Buffer.alloc(500),
        key: index % 20 === 0 ? "日".repeat(900) : "k",
      });
    }
    await publisher.flush(never);
    expect(deliveries.failed).toEqual([]);
    expect(deliveries.stored).toHaveLength(60);
    expect(broker.sends.length).toBeLessThan(30);
  });

  it("sends them at once when someone waits for room", async () => {
    const publisher = await rig.open({ ...batched, maxPendingMessages: 2 });
    rig.send(publisher, 0, 1);
    expect(publisher.full).toBe(true);
    await publisher.room(never);
    expect(numbersSent(broker)).toEqual([[0, 1]]);
  });

  it("starts after the ids the broker remembers, and repeats those one by one", async () => {
    broker.answer("producer", ({ requestId }, connection) =>
      connection.tell("producerSuccess", { requestId, producerName: "n", lastSequenceId: 11 }),
    );
    const publisher = await rig.open(batched);
    for (const id of [10n, 11n, 12n, 13n]) deliveries.send(publisher, numberedMessage(Number(id)), id);
    rig.send(publisher, 14);
    await publisher.flush(never);
    expect(broker.sends.map((one) => [one.sequenceId, one.messages.length])).toEqual([
      [10, 1],
      [11, 1],
      [12, 3],
    ]);
    await publisher.close();
    const next = await rig.open(batched);
    rig.send(next, 0);
    await next.flush(never);
    expect(broker.sends.at(-1)?.sequenceId).toBe(12);
  });
});
