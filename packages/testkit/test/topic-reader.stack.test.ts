import { silentLogger, silentMeter, systemClock } from "@pulsar-ts-io/core";
import { type Compression, createWireTransport, defaultPublisherOptions } from "@pulsar-ts-io/pulsar";
import { PulsarAdmin, type ReadMessage, readMessages } from "@pulsar-ts-io/testkit";
import { expect, it } from "vitest";
import { describeWithStack, uniqueTopic } from "../../../test/stack.ts";

const tls = { allowInsecure: false, hostnameVerification: true };
const never = new AbortController().signal;
const ignore = { stored: () => undefined, failed: () => undefined };

describeWithStack("readMessages", ({ pulsarServiceUrl: serviceUrl, pulsarAdminUrl }) => {
  async function publish(
    topic: string,
    from: number,
    to: number,
    compression: Compression,
    batched: boolean,
  ) {
    const host = { clock: systemClock, logger: silentLogger, meter: silentMeter };
    await using transport = createWireTransport({ serviceUrl, tls }, host);
    const batching = batched ? defaultPublisherOptions.batching : undefined;
    const publisher = await transport.open(
      topic,
      { ...defaultPublisherOptions, compression, batching },
      never,
    );
    for (let index = from; index < to; index += 1) {
      if (publisher.full) await publisher.room(never);
      const value = Buffer.from(`value ${index}`);
      publisher.send(
        { value, key: `k${index % 9}`, properties: { n: `${index}` }, eventTime: index + 1 },
        ignore,
      );
    }
    await publisher.flush(never);
  }

  async function take(topic: string, count: number): Promise<readonly ReadMessage[]> {
    const messages: ReadMessage[] = [];
    for await (const message of readMessages({ serviceUrl, topic, signal: AbortSignal.timeout(30_000) })) {
      messages.push(message);
      if (messages.length === count) break;
    }
    return messages;
  }

  it("yields what was published in every compression, in order, far beyond what the broker sends ahead", async () => {
    const topic = uniqueTopic();
    await publish(topic, 0, 2_000, "NONE", true);
    await publish(topic, 2_000, 4_000, "LZ4", true);
    await publish(topic, 4_000, 6_000, "ZLIB", true);
    await publish(topic, 6_000, 6_010, "NONE", false);
    const messages = await take(topic, 6_010);
    expect(
      messages.map(({ value, key, properties, eventTime }) => [
        Buffer.from(value).toString(),
        key,
        properties["n"],
        eventTime,
      ]),
    ).toEqual(
      Array.from({ length: 6_010 }, (_, index) => [`value ${index}`, `k${index % 9}`, `${index}`, index + 1]),
    );
    expect(messages.at(-1)).toMatchObject({ topic, partition: -1, batchIndex: -1 });
  });

  it("yields all partitions of a topic, each in order", async () => {
    const topic = uniqueTopic();
    await new PulsarAdmin(pulsarAdminUrl).createPartitionedTopic(topic, 3);
    await publish(topic, 0, 300, "LZ4", true);
    const messages = await take(topic, 300);
    for (const partition of [0, 1, 2]) {
      const numbers = messages
        .filter((message) => message.partition === partition)
        .map((message) => Number(message.properties["n"]));
      expect(numbers.length).toBeGreaterThan(0);
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
  });

  it("waits at the end until it is told to stop, with the reason", async () => {
    const topic = uniqueTopic();
    await publish(topic, 0, 1, "NONE", false);
    const stop = new AbortController();
    const reason = new Error("enough");
    const reading = (async () => {
      for await (const _ of readMessages({ serviceUrl, topic, signal: stop.signal })) stop.abort(reason);
    })();
    await expect(reading).rejects.toBe(reason);
  });
});
