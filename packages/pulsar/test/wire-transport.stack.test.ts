import { createHash, randomBytes } from "node:crypto";
import { hasCode, systemClock } from "@pulsar-ts-io/core";
import { PulsarAdmin, readTopicToEnd } from "@pulsar-ts-io/testkit";
import { expect, it } from "vitest";
import { describeWithStack, uniqueName, uniqueTopic } from "../../../test/stack.ts";
import { type Compression, defaultPublisherOptions } from "../src/index.ts";
import { idText, numbered, numbersOf, range, sendRange } from "./harness/numbered-messages.ts";
import { Deliveries } from "./harness/recorded-delivery.ts";
import { never, openWire } from "./harness/wire.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
/** The numbers, without those that came again: at least once may repeat, and must not lose or reorder. */
function firstSeen(messages: readonly { readonly value: Uint8Array | undefined }[]): readonly number[] {
  return [...new Set(numbersOf(messages))];
}

describeWithStack("the wire transport on a real broker", (stack) => {
  const { pulsarServiceUrl: serviceUrl } = stack;
  const admin = new PulsarAdmin(stack.pulsarAdminUrl);

  it("stores every compression, batched and one by one, as Java's client reads it", async () => {
    const ways = (["NONE", "LZ4", "ZLIB", "ZSTD", "SNAPPY"] satisfies Compression[]).flatMap((compression) =>
      [defaultPublisherOptions.batching, undefined].map((batching) => ({
        topic: uniqueTopic(),
        options: { ...defaultPublisherOptions, compression, batching },
        deliveries: new Deliveries(),
      })),
    );
    const messages = [0, 1, 100, 4_096, 4_097, 100_000, 1_048_576].map((size, index) => ({
      value: randomBytes(size),
      key: index % 2 === 0 ? `schlüssel-😀-${index}` : undefined,
      properties: { index: String(index), ä: "ö\n=,]" },
      eventTime: 1_700_000_000_000 + index,
    }));
    await using transport = openWire({ serviceUrl }).transport;
    for (const { topic, options, deliveries } of ways) {
      const publisher = await transport.open(topic, options, never);
      for (const message of messages) deliveries.send(publisher, message);
      await publisher.flush(never);
    }
    const all = await readTopicToEnd({
      serviceUrl,
      topic: ways.map((way) => way.topic),
      count: messages.length * ways.length,
    });
    for (const { topic, deliveries } of ways) {
      const read = all.filter((message) => message.topic === topic);
      expect(
        read.map(({ sha256: hash, key, properties, eventTime }) => ({ hash, key, properties, eventTime })),
      ).toEqual(messages.map(({ value, ...rest }) => ({ hash: sha256(value), ...rest })));
      expect(deliveries.stored.map(idText)).toEqual(read.map((message) => message.id));
    }
  });

  it.each([defaultPublisherOptions.batching, undefined])(
    "gives Java's client keys of bytes (%o)",
    async (batching) => {
      const topic = uniqueTopic();
      await using transport = openWire({ serviceUrl }).transport;
      const publisher = await transport.open(topic, { ...defaultPublisherOptions, batching }, never);
      const deliveries = new Deliveries();
      const keys = [Uint8Array.of(1, 2, 255), "text", undefined];
      for (const key of keys) {
        deliveries.send(publisher, { value: Buffer.from("v"), key, orderingKey: Uint8Array.of(0, 7) });
      }
      await publisher.flush(never);
      const read = await readTopicToEnd({ serviceUrl, topic, count: 3 });
      expect(read.map((message) => message.key)).toEqual(["AQL/", "text", undefined]);
    },
  );

  it("loses and reorders nothing while the topic is unloaded again and again", async () => {
    const topic = uniqueTopic();
    await using transport = openWire({ serviceUrl }).transport;
    const publisher = await transport.open(topic, defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    for (const round of range(5)) {
      const sending = sendRange(publisher, deliveries, { from: round * 4_000, to: (round + 1) * 4_000 });
      await admin.unload(topic);
      await sending;
    }
    await publisher.flush(never);
    expect(deliveries.failed).toEqual([]);
    const read = await readTopicToEnd({ serviceUrl, topic });
    expect(firstSeen(read)).toEqual(range(20_000));
  });

  it("routes keys to the partitions that Java's client would, and publishes to new ones", async () => {
    const topic = uniqueTopic();
    await admin.createPartitionedTopic(topic, 3);
    // The partition count is asked for every 60 s; here ten times a second.
    const hasty = {
      ...systemClock,
      sleep: (ms: number, signal: AbortSignal) => systemClock.sleep(ms >= 60_000 ? 100 : ms, signal),
    };
    const { transport, logger } = openWire({ serviceUrl }, hasty);
    await using _ = transport;
    const publisher = await transport.open(topic, defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    const keys = ["a", "key", "key-1", "user-42", "hello world", "日本語", "😀", ""];
    for (const key of keys) deliveries.send(publisher, { value: Buffer.from(key), key });
    await publisher.flush(never);
    expect(deliveries.stored.map((id) => id.partition)).toEqual([2, 2, 1, 0, 2, 1, 1, 0]);
    await admin.request("POST", `${topic.replace("://", "/")}/partitions`, 5);
    while (logger.linesOf("topic has more partitions").length === 0) await systemClock.sleep(50, never);
    const more = new Deliveries();
    for (const index of range(100)) more.send(publisher, numbered(index));
    for (const _ of range(100)) more.send(publisher, { value: Buffer.from("no key") }, undefined);
    for (let index = 0; index < 50; index += 1) {
      await systemClock.sleep(1, never);
      more.send(publisher, { value: Buffer.from("no key") });
    }
    await publisher.flush(never);
    expect(new Set(more.stored.map((id) => id.partition))).toEqual(new Set(range(5)));
    const read = await readTopicToEnd({ serviceUrl, topic });
    expect(read).toHaveLength(keys.length + 250);
  });

  it("stores everything once when a restarted producer repeats what the broker may have", async () => {
    const namespace = `public/${uniqueName("dedup")}`;
    await admin.createNamespace(namespace);
    await admin.setDeduplication(namespace, true);
    const topic = `persistent://${namespace}/t`;
    const options = { ...defaultPublisherOptions, producerName: "shard-0" };
    const first = new Deliveries();
    {
      await using transport = openWire({ serviceUrl }).transport;
      const publisher = await transport.open(topic, options, never);
      for (const index of range(251)) first.send(publisher, numbered(index), BigInt(index));
      await publisher.flush(never);
    }
    const second = new Deliveries();
    {
      await using transport = openWire({ serviceUrl }).transport;
      const publisher = await transport.open(topic, options, never);
      for (const index of range(100)) second.send(publisher, numbered(201 + index), BigInt(201 + index));
      await publisher.flush(never);
    }
    const read = await readTopicToEnd({ serviceUrl, topic });
    expect(numbersOf(read)).toEqual(range(301));
    // Whoever repeats learns which of them the broker had already.
    expect(second.outcomes.map((outcome) => outcome === "duplicate")).toEqual(
      range(100).map((index) => index < 50),
    );
    expect([...first.failed, ...second.failed]).toEqual([]);
  });

  it("fails what is too large alone, naming size and limit", async () => {
    const topic = uniqueTopic();
    await using transport = openWire({ serviceUrl }).transport;
    const publisher = await transport.open(topic, defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    deliveries.send(publisher, { value: Buffer.from("before") });
    deliveries.send(publisher, { value: randomBytes(5 * 1_048_576 + 1) });
    deliveries.send(publisher, { value: Buffer.from("after") });
    await publisher.flush(never);
    expect(deliveries.failed.map((error) => [error.code, error.message])).toEqual([
      ["PIO_MESSAGE_TOO_LARGE", expect.stringMatching(/has 5\d{6} bytes .* takes 5242880$/)],
    ]);
    const read = await readTopicToEnd({ serviceUrl, topic, count: 2 });
    expect(read.map((message) => message.value?.toString())).toEqual(["before", "after"]);
  });

  it("fails for good when the topic is terminated, and says so to whoever waits for room", async () => {
    const topic = uniqueTopic();
    await using transport = openWire({ serviceUrl }).transport;
    const publisher = await transport.open(
      topic,
      { ...defaultPublisherOptions, maxPendingMessages: 1 },
      never,
    );
    const deliveries = new Deliveries();
    deliveries.send(publisher, numbered(0));
    await publisher.flush(never);
    await admin.terminate(topic);
    deliveries.send(publisher, numbered(1));
    await expect(publisher.room(never)).rejects.toMatchObject({ code: "PIO_TOPIC_TERMINATED" });
    await publisher.flush(never);
    deliveries.send(publisher, numbered(2));
    await publisher.flush(never);
    expect(deliveries.failed.map((error) => error.code)).toEqual([
      "PIO_TOPIC_TERMINATED",
      "PIO_TOPIC_TERMINATED",
    ]);
    await expect(transport.open(topic, defaultPublisherOptions, never)).rejects.toMatchObject({
      code: "PIO_TOPIC_TERMINATED",
    });
  });

  it.each([
    ["tenant", "persistent://no-such-tenant/default/t", "PIO_TOPIC_NOT_FOUND"],
    ["namespace", "persistent://public/no-such-namespace/t", "PIO_TOPIC_NOT_FOUND"],
  ])("refuses an unknown %s at once", async (_, topic, code) => {
    await using transport = openWire({ serviceUrl }).transport;
    const error = await transport
      .open(topic, defaultPublisherOptions, never)
      .catch((reason: unknown) => reason);
    expect(hasCode(error, code)).toBe(true);
    expect(error).toMatchObject({ message: expect.stringContaining(topic), remedy: expect.any(String) });
  });

  it("waits for a producer of the same name to go, and takes its place", async () => {
    const topic = uniqueTopic();
    const options = { ...defaultPublisherOptions, producerName: "shard-7" };
    const { transport, logger } = openWire({ serviceUrl });
    await using one = openWire({ serviceUrl }).transport;
    await using two = transport;
    const before = await one.open(topic, options, never);
    const opening = two.open(topic, options, never);
    while (!logger.messages("warn").includes("producer not opened, trying again")) {
      await systemClock.sleep(20, never);
    }
    expect(logger.lines.find((line) => line.level === "warn")?.fields["err"]).toMatchObject({
      code: "PIO_PRODUCER_BUSY",
    });
    await before.close();
    const publisher = await opening;
    const deliveries = new Deliveries();
    deliveries.send(publisher, numbered(0));
    await publisher.flush(never);
    expect(deliveries.stored).toHaveLength(1);
  });

  it("gives up a name that stays taken after the operation time-out", async () => {
    const topic = uniqueTopic();
    const options = { ...defaultPublisherOptions, producerName: "shard-8" };
    await using one = openWire({ serviceUrl }).transport;
    await using two = openWire({ serviceUrl, operationTimeoutMs: 1_000 }).transport;
    await one.open(topic, options, never);
    await expect(two.open(topic, options, never)).rejects.toMatchObject({
      code: "PIO_PRODUCER_BUSY",
      retryable: true,
    });
  });

  it("shows the producer and its properties in the topic's stats, and leaves nothing after close", async () => {
    const topic = uniqueTopic();
    const { transport } = openWire({ serviceUrl });
    const producerProperties = { application: "pulsar-source", id: "public/default/s" };
    const options = { ...defaultPublisherOptions, producerName: "named", producerProperties };
    const publisher = await transport.open(topic, options, never);
    expect((await admin.stats(topic)).publishers).toMatchObject([
      { producerName: "named", metadata: producerProperties },
    ]);
    await publisher.close();
    expect((await admin.stats(topic)).publishers).toEqual([]);
    await transport.close();
    await transport.close();
  });
});
