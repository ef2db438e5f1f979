import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "../../../../test/harness/eventually.ts";
import { describeWithStack, uniqueName, uniqueTopic } from "../../../../test/stack.ts";
import { defaultPublisherOptions } from "../../src/index.ts";
import { numbersOf, range, sendRange } from "../harness/numbered-messages.ts";
import { Deliveries } from "../harness/recorded-delivery.ts";
import { never, openWire } from "../harness/wire.ts";
import { ContractBroker } from "./contract-broker.ts";

const exclusive = { ...defaultPublisherOptions, accessMode: "Exclusive" as const };

describeWithStack("what a real broker refuses, and what the wire transport makes of it", () => {
  let stack: ContractBroker;

  beforeAll(async () => {
    const settings = { keepAliveIntervalSeconds: 5, backlogQuotaCheckIntervalInSeconds: 1 };
    stack = await ContractBroker.start({ settings });
  });

  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
  });

  const newNamespace = async () => {
    const namespace = `public/${uniqueName("verdicts")}`;
    await stack.admin.createNamespace(namespace);
    return { namespace, topic: `persistent://${namespace}/t` };
  };

  it("lets nobody else in where a publisher has exclusive access, until that is closed", async () => {
    const topic = uniqueTopic();
    await using transport = openWire({ ...stack.direct, operationTimeoutMs: 500 }).transport;
    const first = await transport.open(topic, exclusive, never);
    await expect(transport.open(topic, exclusive, never)).rejects.toMatchObject({
      code: "PIO_PRODUCER_FENCED",
    });
    await expect(transport.open(topic, defaultPublisherOptions, never)).rejects.toMatchObject({
      code: "PIO_PRODUCER_BUSY",
    });
    await first.close();
    const shared = await transport.open(topic, defaultPublisherOptions, never);
    await expect(transport.open(topic, exclusive, never)).rejects.toMatchObject({
      code: "PIO_PRODUCER_FENCED",
    });
    await shared.close();
    await transport.open(topic, exclusive, never);
  });

  it("takes its own exclusive place back from a connection that the broker does not know to be dead", async () => {
    const topic = uniqueTopic();
    const { transport, logger } = openWire(stack.address);
    await using _ = transport;
    const publisher = await transport.open(topic, { ...exclusive, producerName: "mine" }, never);
    const deliveries = new Deliveries();
    await sendRange(publisher, deliveries, { from: 0, to: 10 });
    await publisher.flush(never);
    stack.proxy.abandon();
    await sendRange(publisher, deliveries, { from: 10, to: 20 });
    await publisher.flush(never);
    expect(deliveries.failed).toEqual([]);
    expect(
      logger.linesOf("producer still lost, trying again").map((line) => line.fields["err"]),
    ).toMatchObject([{ code: "PIO_PRODUCER_FENCED", details: { holder: "mine" } }]);
    expect(numbersOf(await stack.read(topic))).toEqual(range(20));
  });

  it("gives up exclusive access that somebody else had since", async () => {
    const topic = uniqueTopic();
    await using one = openWire(stack.address).transport;
    await using two = openWire(stack.direct).transport;
    const stale = await one.open(topic, { ...exclusive, producerName: "stale" }, never);
    const deliveries = new Deliveries();
    stack.proxy.pause();
    // The broker drops whom it does not hear, and only then is there room for another.
    const newcomer = await eventually("the newcomer's turn", () =>
      two.open(topic, { ...exclusive, producerName: "new" }, never).catch(() => undefined),
    );
    stack.proxy.resume();
    await sendRange(stale, deliveries, { from: 0, to: 3 });
    await stale.flush(never);
    expect(new Set(deliveries.failed.map((error) => error.code))).toEqual(new Set(["PIO_PRODUCER_FENCED"]));
    await newcomer.close();
  });

  it("registers the schema it was given, and is refused at once where that does not fit", async () => {
    const topic = uniqueTopic();
    await using transport = openWire(stack.direct).transport;
    const record = (type: string) =>
      Buffer.from(JSON.stringify({ type: "record", name: "R", fields: [{ name: "a", type }] }));
    const schema = { type: "AVRO", definition: record("string"), properties: {} } as const;
    const publisher = await transport.open(topic, { ...defaultPublisherOptions, schema }, never);
    const deliveries = new Deliveries();
    deliveries.send(publisher, { value: Buffer.from("0261", "hex") });
    await publisher.flush(never);
    expect(deliveries.stored).toHaveLength(1);
    const path = topic.replace("persistent://", "schemas/");
    expect(await stack.admin.request("GET", `${path}/schema`)).toMatchObject({ version: 0, type: "AVRO" });
    const other = { ...schema, definition: record("int") };
    await expect(
      transport.open(topic, { ...defaultPublisherOptions, schema: other }, never),
    ).rejects.toMatchObject({ code: "PIO_BROKER_REFUSED", retryable: false });
  });

  it("says at once that it cannot encrypt for a namespace that demands it", async () => {
    const { namespace, topic } = await newNamespace();
    await using transport = openWire(stack.direct).transport;
    const publisher = await transport.open(topic, defaultPublisherOptions, never);
    await stack.admin.request("POST", `namespaces/${namespace}/encryptionRequired`, true);
    // Who was there before learns it, as soon as the broker has heard of it itself, and does not try for ever.
    const deliveries = new Deliveries();
    await eventually("the end of the publisher", async () => {
      await sendRange(publisher, deliveries, { from: 0, to: 1 }).catch(() => undefined);
      await publisher.flush(never);
      return deliveries.failed.length > 0;
    });
    expect(deliveries.failed[0]).toMatchObject({ code: "PIO_BROKER_REFUSED", retryable: false });
    await expect(transport.open(topic, defaultPublisherOptions, never)).rejects.toMatchObject({
      code: "PIO_BROKER_REFUSED",
      retryable: false,
      remedy: expect.stringContaining("native"),
    });
  });

  it.each(["producer_request_hold", "producer_exception"])(
    "waits, losing nothing, while a backlog quota with the policy %s blocks it",
    async (policy) => {
      const { namespace, topic } = await newNamespace();
      const subscription = `${topic.replace("://", "/")}/subscription/s`;
      const { transport, logger } = openWire(stack.direct);
      await using _ = transport;
      const publisher = await transport.open(topic, defaultPublisherOptions, never);
      await stack.admin.request("PUT", subscription);
      const deliveries = new Deliveries();
      await sendRange(publisher, deliveries, { from: 0, to: 10 });
      await publisher.flush(never);
      const quota = { limitSize: 10, limitTime: -1, policy };
      await stack.admin.request(
        "POST",
        `namespaces/${namespace}/backlogQuota?backlogQuotaType=destination_storage`,
        quota,
      );
      await eventually("the refusal", () =>
        logger.linesOf("producer still lost, trying again").some((line) => {
          return String(line.fields["err"]).includes("ProducerBlockedQuotaExceeded");
        }),
      );
      await sendRange(publisher, deliveries, { from: 10, to: 20 });
      expect(deliveries.settled).toBe(10);
      await stack.admin.request("DELETE", `${subscription}?force=true`);
      await publisher.flush(never);
      expect(deliveries.failed).toEqual([]);
      expect(numbersOf(await stack.read(topic))).toEqual(range(20));
    },
  );
});
