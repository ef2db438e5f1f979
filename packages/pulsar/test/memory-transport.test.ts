import { codeOf } from "@pulsar-ts-io/core";
import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import {
  defaultPublisherOptions,
  MemoryTransport,
  MessageTooLargeError,
  TopicNotFoundError,
} from "../src/index.ts";
import { Deliveries } from "./harness/recorded-delivery.ts";
import { never } from "./harness/wire.ts";

const message = (index: number) => ({
  value: Uint8Array.of(index),
  key: `k${index}`,
  properties: { a: "b" },
  eventTime: index,
});

describe("the memory transport", () => {
  it("keeps what is published, topic by topic and in order", async () => {
    await using transport = new MemoryTransport();
    const one = await transport.open("one", defaultPublisherOptions, never);
    const two = await transport.open("public/default/two", defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    for (const index of [0, 1]) deliveries.send(one, message(index));
    deliveries.send(two, message(2), 7n);
    await Promise.all([one.flush(never), two.flush(never)]);
    expect(transport.messages("persistent://public/default/one")).toMatchObject([message(0), message(1)]);
    expect(transport.messages("two")).toMatchObject([{ ...message(2), sequenceId: 7n }]);
    expect(transport.messages()).toHaveLength(3);
    expect(deliveries.stored.map((id) => id.entryId)).toEqual([0n, 1n, 2n]);
  });

  it("keeps a copy, so that the sender may use its bytes again", async () => {
    await using transport = new MemoryTransport();
    const publisher = await transport.open("t", defaultPublisherOptions, never);
    const value = Buffer.from("x");
    new Deliveries().send(publisher, { value });
    await publisher.flush(never);
    value[0] = 0;
    expect(transport.messages("t")).toMatchObject([{ value: Uint8Array.from(Buffer.from("x")) }]);
  });

  it("confirms after its latency, and is full until then", async () => {
    const clock = new TestClock();
    await using transport = new MemoryTransport({ latencyMs: 50, clock });
    const publisher = await transport.open("t", { ...defaultPublisherOptions, maxPendingMessages: 1 }, never);
    const deliveries = new Deliveries();
    deliveries.send(publisher, message(0));
    expect(publisher.full).toBe(true);
    await clock.advance(49);
    expect(deliveries.settled).toBe(0);
    await clock.advance(1);
    expect(deliveries.settled).toBe(1);
    expect(publisher.full).toBe(false);
  });

  it("fails the messages and refuses the topics it is told to", async () => {
    await using transport = new MemoryTransport({
      failWith: ({ key }) => (key === "k1" ? new MessageTooLargeError("too large") : undefined),
      refuseTopic: (topic) => (topic.endsWith("/no") ? new TopicNotFoundError("no such topic") : undefined),
    });
    const publisher = await transport.open("t", defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    for (const index of [0, 1, 2]) deliveries.send(publisher, message(index));
    await publisher.flush(never);
    expect(deliveries.outcomes.map(codeOf)).toEqual([undefined, "PIO_MESSAGE_TOO_LARGE", undefined]);
    expect(transport.messages("t")).toHaveLength(2);
    await expect(transport.open("no", defaultPublisherOptions, never)).rejects.toMatchObject({
      code: "PIO_TOPIC_NOT_FOUND",
    });
  });

  it("holds receipts back while it is told to, and fails what is left when it is closed", async () => {
    const transport = new MemoryTransport();
    const publisher = await transport.open("t", defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    transport.hold();
    deliveries.send(publisher, message(0));
    transport.release();
    await publisher.flush(never);
    transport.hold();
    deliveries.send(publisher, message(1));
    await transport.close();
    deliveries.send(publisher, message(2));
    await expect(publisher.room(never)).rejects.toMatchObject({ code: "PIO_PUBLISHER_CLOSED" });
    expect(deliveries.outcomes.map(codeOf)).toEqual([
      undefined,
      "PIO_PUBLISHER_CLOSED",
      "PIO_PUBLISHER_CLOSED",
    ]);
  });
});
