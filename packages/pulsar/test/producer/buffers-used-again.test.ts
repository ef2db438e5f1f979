import { TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultPublisherOptions, type Publisher } from "../../src/index.ts";
import type { FakeBroker } from "../harness/fake-broker.ts";
import { FakeNetwork } from "../harness/fake-network.ts";
import { Deliveries } from "../harness/recorded-delivery.ts";
import { until } from "../harness/until.ts";
import { never, openWire, type TestWire } from "../harness/wire.ts";

const messagesPerBatch = 20;
const valueBytes = 1_024;
const options = {
  ...defaultPublisherOptions,
  compression: "NONE",
  batching: { maxDelayMs: 10, maxMessages: messagesPerBatch, maxBytes: 131_072, byKey: false },
} as const;

describe("a publisher whose batches use buffers again", () => {
  let broker: FakeBroker;
  let clock: TestClock;
  let wire: TestWire;
  let deliveries: Deliveries;
  let arrived: string[];

  beforeEach(() => {
    const network = new FakeNetwork();
    broker = network.broker("broker");
    clock = new TestClock();
    wire = openWire({ serviceUrl: broker.url }, clock, { dial: network.dial });
    deliveries = new Deliveries();
    arrived = [];
  });

  afterEach(async () => {
    await wire.transport.close();
  });

  /** Notes what a frame says when it arrives: its bytes may be others' later. */
  function answering(answers: boolean): void {
    let entryId = 0n;
    broker.onSend = (one, connection) => {
      arrived.push(one.messages.map(({ value }) => `${value[0]}*${new Set(value).size}`).join());
      if (answers) connection.receipt(one, { ledgerId: 1n, entryId: entryId++ });
    };
  }

  function sendBatch(publisher: Publisher, batch: number): void {
    for (let index = 0; index < messagesPerBatch; index += 1)
      deliveries.send(publisher, { value: Buffer.alloc(valueBytes, batch) });
  }

  const whole = (batch: number) => Array(messagesPerBatch).fill(`${batch}*1`).join();

  it("keeps those of what is not confirmed, whatever is published and confirmed meanwhile", async () => {
    const publisher = await wire.transport.open("persistent://public/default/t", options, never);
    answering(true);
    for (const batch of [1, 2, 3]) sendBatch(publisher, batch);
    await publisher.flush(never);
    answering(false);
    for (const batch of [4, 5]) sendBatch(publisher, batch);
    await until(() => arrived.length === 5, clock);
    answering(true);
    broker.last.socket.destroy();
    for (const batch of [6, 7, 8]) sendBatch(publisher, batch);
    await until(() => arrived.length === 10, clock);
    await publisher.flush(never);
    expect(arrived).toEqual([1, 2, 3, 4, 5, 4, 5, 6, 7, 8].map(whole));
    expect(deliveries.failed).toEqual([]);
  });
});
