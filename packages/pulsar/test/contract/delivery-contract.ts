import { systemClock } from "@pulsar-ts-io/core";
import { expect, it } from "vitest";
import { byTier, runSeed } from "../../../../test/harness/tier.ts";
import { uniqueName, uniqueTopic } from "../../../../test/stack.ts";
import { defaultPublisherOptions } from "../../src/index.ts";
import { idText, numbersOf, range, sendRange } from "../harness/numbered-messages.ts";
import { Deliveries } from "../harness/recorded-delivery.ts";
import { never } from "../harness/wire.ts";
import type { ContractBroker } from "./contract-broker.ts";
import type { ContractSubject } from "./contract-transport.ts";
import { sendThroughStorm } from "./storm.ts";

const storm = byTier({
  quick: { messages: 8_000, kills: 1, unloads: 2, resets: 8 },
  long: { messages: 100_000, kills: 3, unloads: 10, resets: 50 },
});
const stormMs = 900_000;

/** Nothing is lost, reordered or, under deduplication, repeated; and receipts say where messages are. */
export function deliveryContract(subject: ContractSubject, stack: () => ContractBroker): void {
  it("keeps the order of each key and each partition, and says of every message where it is", async () => {
    const { address, admin } = stack();
    const count = byTier({ quick: 3_000, long: 30_000 });
    const topic = uniqueTopic();
    await admin.createPartitionedTopic(topic, 3);
    await using transport = await subject.open(address);
    const publisher = await transport.open(topic, defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    await sendRange(publisher, deliveries, { from: 0, to: count });
    await publisher.flush(never);
    const read = await stack().read(topic);
    for (const partition of range(3)) {
      const there = numbersOf(read.filter((message) => message.partition === partition));
      expect(there).toEqual([...there].sort((one, other) => one - other));
    }
    const places = new Set(read.map((message) => `${message.key} in ${message.partition}`));
    expect(places.size).toBe(7);
    const idOf = new Map(read.map((message) => [Number(message.value?.toString()), message.id]));
    expect(deliveries.stored.map(idText)).toEqual(range(count).map((index) => idOf.get(index)));
  });

  it(
    "loses and reorders nothing while the broker dies, the topic moves and connections break",
    async () => {
      const topic = uniqueTopic();
      await using transport = await subject.open(stack().address);
      const publisher = await transport.open(topic, defaultPublisherOptions, never);
      const options = { ...storm, topic, withIds: false, seed: runSeed };
      const deliveries = await sendThroughStorm(stack(), publisher, options);
      expect(deliveries.failed).toEqual([]);
      const read = numbersOf(await stack().read(topic));
      expect([...new Set(read)]).toEqual(range(storm.messages));
    },
    stormMs,
  );

  it(
    "stores each message exactly once through all that where the broker removes duplicates",
    async () => {
      const { admin, address } = stack();
      const namespace = `public/${uniqueName("dedup")}`;
      await admin.createNamespace(namespace);
      await admin.setDeduplication(namespace, true);
      // Else what lies before the broker's own snapshot of sequence ids is removed: nobody has subscribed.
      const forEver = { retentionTimeInMinutes: -1, retentionSizeInMB: -1 };
      await admin.request("POST", `namespaces/${namespace}/retention`, forEver);
      const topic = `persistent://${namespace}/t`;
      const publisherOptions = { ...defaultPublisherOptions, producerName: "shard-0" };
      await using transport = await subject.open(address);
      const publisher = await transport.open(topic, publisherOptions, never);
      const options = { ...storm, topic, withIds: true, seed: runSeed + 1 };
      const deliveries = await sendThroughStorm(stack(), publisher, options);
      expect(deliveries.failed).toEqual([]);
      expect(numbersOf(await stack().read(topic))).toEqual(range(storm.messages));
    },
    stormMs,
  );

  it("writes a frame that was not confirmed again byte for byte", async () => {
    const { address, proxy } = stack();
    await using transport = await subject.open(address);
    const publisher = await transport.open(uniqueTopic(), defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    proxy.pause();
    const before = proxy.sends.length;
    await sendRange(publisher, deliveries, { from: 0, to: 500 });
    const flushed = publisher.flush(never);
    while ((proxy.sends.at(-1) ?? []).length === 0) await systemClock.sleep(10, never);
    await systemClock.sleep(200, never);
    const first = proxy.sends.slice(0, before).flat();
    proxy.reset();
    proxy.resume();
    await flushed;
    const again = proxy.sends.slice(before).flat();
    expect(again.length).toBeGreaterThan(0);
    expect(first.slice(-again.length)).toEqual(again);
    expect(deliveries.stored).toHaveLength(500);
  });

  it("publishes to partitions that are new, too", async () => {
    const { admin, address } = stack();
    const topic = uniqueTopic();
    await admin.createPartitionedTopic(topic, 1);
    await using transport = await subject.open(address);
    const publisher = await transport.open(topic, defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    await sendRange(publisher, deliveries, { from: 0, to: 10 });
    await publisher.flush(never);
    await admin.request("POST", `${topic.replace("://", "/")}/partitions`, 3);
    const partitions = () => new Set(deliveries.stored.map((id) => id.partition));
    while (partitions().size < 3) {
      await systemClock.sleep(100, never);
      await sendRange(publisher, deliveries, {
        from: deliveries.outcomes.length,
        to: deliveries.outcomes.length + 10,
      });
      await publisher.flush(never);
    }
    expect(deliveries.failed).toEqual([]);
    const read = numbersOf(await stack().read(topic));
    expect([...read].sort((one, other) => one - other)).toEqual(range(deliveries.outcomes.length));
  });
}
