import { RecordingMeter } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { defaultPublisherOptions } from "../../src/index.ts";
import { FakePulsarClient } from "../harness/fake-pulsar-client.ts";
import { createNative, numberText, openNative, settled, topic } from "../harness/native-rig.ts";
import { Deliveries } from "../harness/recorded-delivery.ts";
import { never } from "../harness/wire.ts";

describe("a publisher over the official client", () => {
  it("hands a message over as it is, and tells where it was stored", async () => {
    const native = new FakePulsarClient();
    const publisher = await openNative(native, { producerName: "shard-0" });
    const deliveries = new Deliveries();
    const message = {
      value: Uint8Array.of(0, 255),
      key: "k",
      orderingKey: Buffer.from("o"),
      properties: { a: "b" },
      eventTime: 5,
    };
    deliveries.send(publisher, message, 9n);
    expect(native.handedOver.map((one) => one.message)).toEqual([
      {
        data: Buffer.of(0, 255),
        partitionKey: "k",
        orderingKey: "o",
        properties: { a: "b" },
        eventTimestamp: 5,
        sequenceId: 9,
      },
    ]);
    native.handedOver[0]?.stored("(12345678901234567890,7,2,3)");
    await settled();
    expect(deliveries.stored).toEqual([
      { ledgerId: 12345678901234567890n, entryId: 7n, partition: 2, batchIndex: 3 },
    ]);
  });

  it("routes as the wire transport does: by the key, else by the sequence id", async () => {
    const native = new FakePulsarClient();
    native.partitions = 3;
    const publisher = await openNative(native, { producerName: "shard-0" });
    const deliveries = new Deliveries();
    for (const key of ["a", "key", "key-1", "user-42", ""])
      deliveries.send(publisher, { value: Buffer.of(1), key });
    for (const id of [3n, 4n, 8n]) deliveries.send(publisher, numberText(0), id);
    expect(native.handedOver.map((one) => one.partition)).toEqual([2, 2, 1, 0, 0, 0, 1, 2]);
  });

  it("keeps what is beyond the window to itself, in order, and hands it over as receipts come", async () => {
    const native = new FakePulsarClient();
    const publisher = await openNative(native, { maxPendingMessages: 2 });
    const deliveries = new Deliveries();
    for (const index of [0, 1, 2, 3, 4]) deliveries.send(publisher, numberText(index));
    expect([publisher.full, native.handedOver.length]).toEqual([true, 2]);
    native.handedOver[0]?.stored("(1,0,-1,-1)");
    await settled();
    native.handedOver[1]?.refused("MessageTooBig");
    await settled();
    expect(native.handedOver.map((one) => one.message.data.toString())).toEqual(["0", "1", "2", "3"]);
    expect([publisher.full, deliveries.settled]).toEqual([true, 2]);
    const flushed = publisher.flush(never);
    expect(native.flushes).toBe(1);
    for (const index of [2, 3, 4]) {
      native.handedOver[index]?.stored(`(1,${index},-1,-1)`);
      await settled();
    }
    await flushed;
    expect(publisher.full).toBe(false);
    expect(deliveries.order).toEqual([0, 1, 2, 3, 4]);
    expect(deliveries.failed.map((error) => error.code)).toEqual(["PIO_MESSAGE_TOO_LARGE"]);
  });

  it.each([
    ["a key of bytes", { key: Buffer.of(1) }],
    ["an ordering key that is no UTF-8", { orderingKey: Buffer.of(255) }],
    ["U+0000 in its key", { key: "a\0b" }],
    ["U+0000 in a property", { properties: { a: "\0" } }],
  ])("refuses a message with %s, which the binding would change, and goes on", async (_, odd) => {
    const native = new FakePulsarClient();
    const publisher = await openNative(native, { maxPendingMessages: 1 });
    const deliveries = new Deliveries();
    deliveries.send(publisher, { value: Buffer.of(1), ...odd });
    deliveries.send(publisher, numberText(1));
    await settled();
    expect(deliveries.failed).toMatchObject([
      { code: "PIO_MESSAGE_REFUSED", remedy: expect.stringContaining("wire transport") },
    ]);
    expect(native.handedOver).toHaveLength(1);
  });

  it("takes sequence ids only of a named producer, and only as they rise", async () => {
    const native = new FakePulsarClient();
    const named = new Deliveries();
    const publisher = await openNative(native, { producerName: "shard-0" });
    for (const id of [5n, 5n, 4n, -1n, 2n ** 53n, 6n]) named.send(publisher, numberText(0), id);
    const nameless = new Deliveries();
    nameless.send(await openNative(native), numberText(0), 1n);
    await settled();
    expect(native.handedOver.map((one) => one.message.sequenceId)).toEqual([5, 6]);
    expect([...named.failed, ...nameless.failed].map((error) => error.code)).toEqual(
      Array.from({ length: 5 }, () => "PIO_INVALID_SEQUENCE_ID"),
    );
  });

  it("tells a duplicate from a message that a topic without storage dropped", async () => {
    const native = new FakePulsarClient();
    const transport = await createNative(native);
    const outcomes = [];
    for (const name of [topic, "non-persistent://public/default/t"]) {
      const publisher = await transport.open(name, { ...defaultPublisherOptions, producerName: "p" }, never);
      const deliveries = new Deliveries();
      deliveries.send(publisher, numberText(0), 1n);
      native.handedOver.at(-1)?.stored("(-1,-1,-1,-1)");
      await settled();
      outcomes.push([deliveries.settled, deliveries.failed.map((error) => error.code)]);
    }
    expect(outcomes).toEqual([
      [1, []],
      [1, ["PIO_MESSAGE_NOT_STORED"]],
    ]);
  });

  it("says of a message whose time is up that it may have been stored", async () => {
    const native = new FakePulsarClient();
    const deliveries = new Deliveries();
    deliveries.send(await openNative(native, { sendTimeoutMs: 50 }), numberText(0));
    native.handedOver[0]?.refused("TimeOut");
    await settled();
    expect(deliveries.failed.map((error) => error.code)).toEqual(["PIO_SEND_TIMEOUT"]);
  });

  it("ends with a topic that is terminated: what waits and what comes fails alike", async () => {
    const native = new FakePulsarClient();
    const publisher = await openNative(native, { maxPendingMessages: 1 });
    const deliveries = new Deliveries();
    deliveries.send(publisher, numberText(0));
    deliveries.send(publisher, numberText(1));
    native.handedOver[0]?.refused("TopicTerminated");
    await settled();
    deliveries.send(publisher, numberText(2));
    await settled();
    expect(deliveries.failed.map((error) => error.code)).toEqual(
      Array.from({ length: 3 }, () => "PIO_TOPIC_TERMINATED"),
    );
    await expect(publisher.room(never)).rejects.toMatchObject({ code: "PIO_TOPIC_TERMINATED" });
    expect(native.handedOver).toHaveLength(1);
  });

  it("tells publishers to one topic apart by the names they were given, in what it measures", async () => {
    const native = new FakePulsarClient();
    const meter = new RecordingMeter();
    const transport = await createNative(native, {}, { meter });
    const deliveries = new Deliveries();
    for (const producerName of ["a", "b", undefined]) {
      const publisher = await transport.open(topic, { ...defaultPublisherOptions, producerName }, never);
      for (let index = producerName === "a" ? 0 : 1; index < 3; index += 1)
        deliveries.send(publisher, numberText(index));
    }
    const pending = "pulsar_ts_io_publisher_pending_messages";
    expect(meter.value(pending, { topic, producer: "a" })).toBe(3);
    expect(meter.value(pending, { topic, producer: "b" })).toBe(2);
    expect(meter.value(pending, { topic })).toBe(7); // all series of the topic together
    await transport.close();
  });

  it("fails what is not settled when it is closed, once, and closes producer and client", async () => {
    const native = new FakePulsarClient();
    const transport = await createNative(native);
    const publisher = await transport.open(
      topic,
      { ...defaultPublisherOptions, maxPendingMessages: 1 },
      never,
    );
    const deliveries = new Deliveries();
    deliveries.send(publisher, numberText(0));
    deliveries.send(publisher, numberText(1));
    await transport.close();
    await transport.close();
    native.handedOver[0]?.stored("(1,0,-1,-1)");
    await settled();
    expect(deliveries.failed.map((error) => error.code)).toEqual([
      "PIO_PUBLISHER_CLOSED",
      "PIO_PUBLISHER_CLOSED",
    ]);
    expect(native.closed).toEqual([topic, "client"]);
    await expect(transport.open(topic, defaultPublisherOptions, never)).rejects.toMatchObject({
      code: "PIO_PUBLISHER_CLOSED",
    });
  });
});
