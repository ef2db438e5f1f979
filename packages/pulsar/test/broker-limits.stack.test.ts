import { connect, type Socket } from "node:net";
import { type LocalPulsar, PulsarAdmin, readTopicToEnd, startPulsar } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "../../../test/harness/eventually.ts";
import { describeWithStack, uniqueName } from "../../../test/stack.ts";
import { defaultPublisherOptions, readTopicDeduplication } from "../src/index.ts";
import { numbersOf, range, sendRange } from "./harness/numbered-messages.ts";
import { Deliveries } from "./harness/recorded-delivery.ts";
import { webService } from "./harness/web-service.ts";
import { never, openWire } from "./harness/wire.ts";

/** Enough for the broker itself and for the tests. */
const maxConnections = 24;

describeWithStack("the wire transport and the limits of a real broker", () => {
  let broker: LocalPulsar;
  let admin: PulsarAdmin;

  beforeAll(async () => {
    broker = await startPulsar({
      settings: {
        brokerMaxConnections: maxConnections,
        topicLevelPoliciesEnabled: false,
        maxConcurrentNonPersistentMessagePerConnection: 1,
      },
    });
    admin = new PulsarAdmin(broker.adminUrl);
  });

  afterAll(async () => {
    await broker.stop();
  });

  const newNamespace = async (prefix: string) => {
    const tenant = uniqueName("encrypt");
    await admin.createTenant(tenant);
    const namespace = `${tenant}/${uniqueName(prefix)}`;
    await admin.createNamespace(namespace);
    return namespace;
  };

  /** Connections that take up the broker's limit. */
  async function fillConnections(): Promise<readonly Socket[]> {
    const { hostname, port } = new URL(broker.serviceUrl.replace("pulsar:", "http:"));
    const sockets = range(maxConnections).map(() => {
      const socket = connect(Number(port), hostname);
      socket.on("error", () => undefined);
      socket.resume(); // else its end is not noticed
      return socket;
    });
    // The broker closes those that are too many.
    await eventually("the limit", () =>
      Promise.resolve(sockets.some((socket) => socket.destroyed || undefined)),
    );
    return sockets;
  }

  it("waits for a connection while the broker has as many as it takes, and goes on where it was", async () => {
    const topic = `persistent://${await newNamespace("connections")}/t`;
    const { transport, logger } = openWire({ serviceUrl: broker.serviceUrl });
    await using _ = transport;
    const publisher = await transport.open(topic, defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    await sendRange(publisher, deliveries, { from: 0, to: 10 });
    await publisher.flush(never);
    const sockets = await fillConnections();
    await using newcomer = openWire({ serviceUrl: broker.serviceUrl, operationTimeoutMs: 1_000 }).transport;
    await expect(newcomer.open(topic, defaultPublisherOptions, never)).rejects.toMatchObject({
      code: "PIO_BROKER_LIMIT",
      retryable: true,
      remedy: expect.stringContaining("brokerMaxConnections"),
    });
    for (const socket of sockets) socket.destroy();
    const second = await eventually("room for a connection", () =>
      newcomer.open(topic, defaultPublisherOptions, never).catch(() => undefined),
    );
    await second.close();
    await sendRange(publisher, deliveries, { from: 10, to: 20 });
    await publisher.flush(never);
    expect(deliveries.failed).toEqual([]);
    expect(logger.messages("error")).toEqual([]);
    expect(numbersOf(await readTopicToEnd({ serviceUrl: broker.serviceUrl, topic }))).toEqual(range(20));
  });

  it("survives unloads of a namespace whose tenant is named encrypt", async () => {
    const namespace = await newNamespace("namespace-quota-maximum");
    const topic = `persistent://${namespace}/t`;
    const { transport, logger } = openWire({ serviceUrl: broker.serviceUrl });
    await using _ = transport;
    const publisher = await transport.open(topic, defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    const sending = sendRange(publisher, deliveries, { from: 0, to: 5_000 });
    for (const __ of range(2)) await admin.request("PUT", `namespaces/${namespace}/unload`);
    await sending;
    await publisher.flush(never);
    expect(deliveries.failed).toEqual([]);
    expect(logger.messages("error")).toEqual([]);
    const numbers = numbersOf(await readTopicToEnd({ serviceUrl: broker.serviceUrl, topic }));
    expect([...new Set(numbers)]).toEqual(range(5_000));
  });

  it("waits for a producer's place while the topic has as many as it may have", async () => {
    const namespace = await newNamespace("producers");
    await admin.request("POST", `namespaces/${namespace}/maxProducersPerTopic`, 1);
    const topic = `persistent://${namespace}/t`;
    await using transport = openWire({ serviceUrl: broker.serviceUrl, operationTimeoutMs: 1_000 }).transport;
    const named = (producerName: string) => ({ ...defaultPublisherOptions, producerName });
    const first = await transport.open(topic, named("one"), never);
    await expect(transport.open(topic, named("two"), never)).rejects.toMatchObject({
      code: "PIO_BROKER_LIMIT",
      details: { setting: "maxProducersPerTopic" },
    });
    await first.close();
    await transport.open(topic, named("two"), never);
    // A second topic: there the limit is not reached before the name is compared.
    await admin.request("POST", `namespaces/${namespace}/maxProducersPerTopic`, 5);
    const other = openWire({ serviceUrl: broker.serviceUrl, operationTimeoutMs: 1_000 }).transport;
    await using _ = other;
    await eventually("the name in use", () =>
      other.open(topic, named("two"), never).then(
        () => undefined,
        (error) => (error.code === "PIO_PRODUCER_BUSY" && error.details.nameTaken === true) || undefined,
      ),
    );
  });

  it("names the limit of topics in a namespace", async () => {
    const namespace = await newNamespace("topics");
    await admin.request("POST", `namespaces/${namespace}/maxTopicsPerNamespace`, 1);
    await using transport = openWire({ serviceUrl: broker.serviceUrl, operationTimeoutMs: 1_000 }).transport;
    const open = (name: string) =>
      transport.open(`persistent://${namespace}/${name}`, defaultPublisherOptions, never);
    await open("one");
    await expect(open("two")).rejects.toMatchObject({
      code: "PIO_BROKER_LIMIT",
      remedy: expect.stringContaining("set-max-topics-per-namespace"),
    });
  });

  it("publishes nothing to a partitioned topic that was deleted under it", async () => {
    const namespace = await newNamespace("deleted");
    const topic = `persistent://${namespace}/t`;
    await admin.createPartitionedTopic(topic, 3);
    const { transport } = openWire({ serviceUrl: broker.serviceUrl });
    await using _ = transport;
    const publisher = await transport.open(topic, defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    await sendRange(publisher, deliveries, { from: 0, to: 30 });
    await publisher.flush(never);
    await admin.deletePartitionedTopic(topic);
    await eventually("the end of the publisher", async () => {
      await sendRange(publisher, deliveries, { from: 0, to: 1 }).catch(() => undefined);
      await publisher.flush(never);
      return deliveries.failed.length > 0 || undefined;
    });
    expect(deliveries.failed[0]).toMatchObject({ code: "PIO_PARTITIONS_GONE" });
    // The broker may have created some for producers that opened again while it deleted them.
    const left = (await admin.request("GET", `persistent/${namespace}`)) as readonly string[]; // of a broker that we chose
    for (const partition of left) expect(await admin.stats(partition)).toMatchObject({ msgInCounter: 0 });
  });

  it("keeps its connection while a non-persistent topic drops most messages", async () => {
    const topic = `non-persistent://${await newNamespace("drops")}/t`;
    const { transport, logger } = openWire({ serviceUrl: broker.serviceUrl });
    await using _ = transport;
    const unbatched = { ...defaultPublisherOptions, batching: undefined, maxPendingMessages: 10_000 };
    const publisher = await transport.open(topic, unbatched, never);
    const outcomes = { stored: 0, dropped: 0, failed: 0 };
    const delivery = {
      stored: () => {
        outcomes.stored += 1;
      },
      dropped: () => {
        outcomes.dropped += 1;
      },
      failed: () => {
        outcomes.failed += 1;
      },
    };
    for (const index of range(5_000)) publisher.send({ value: Buffer.from(`${index}`) }, delivery);
    await publisher.flush(never);
    expect(outcomes.failed).toBe(0);
    expect(outcomes.stored + outcomes.dropped).toBe(5_000);
    expect(outcomes.dropped).toBeGreaterThan(0);
    expect(logger.linesOf("producer lost, opening it again")).toEqual([]);
    expect(logger.linesOf("non-persistent topic dropped messages").length).toBeGreaterThan(0);
  });

  it("reads whether the namespace deduplicates where topics have no policies", async () => {
    const namespace = await newNamespace("deduplication");
    const topic = `persistent://${namespace}/t`;
    const read = () => readTopicDeduplication(webService(broker.adminUrl), topic, never);
    expect(await read()).toBe(false);
    await admin.setDeduplication(namespace, true);
    expect(await read()).toBe(true);
  });
});
