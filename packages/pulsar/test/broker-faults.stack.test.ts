import { type LocalPulsar, PulsarAdmin, readTopicToEnd, startPulsar } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWithStack, uniqueTopic } from "../../../test/stack.ts";
import { defaultPublisherOptions } from "../src/index.ts";
import { numbersOf, range, sendRange } from "./harness/numbered-messages.ts";
import { Deliveries } from "./harness/recorded-delivery.ts";
import { never, openWire } from "./harness/wire.ts";

describeWithStack("the wire transport and a broker of its own", () => {
  let broker: LocalPulsar;

  beforeAll(async () => {
    broker = await startPulsar({ token: true, maxMessageSize: 1_048_576 });
  });

  afterAll(async () => {
    await broker.stop();
  });

  const wire = (authParams: string) => ({ serviceUrl: broker.serviceUrl, authPlugin: "token", authParams });

  it("takes a broker that is killed and started again in its stride: nothing lost, nothing reordered", async () => {
    const topic = uniqueTopic();
    const { transport, logger } = openWire(wire(`token:${broker.token}`));
    await using _ = transport;
    const publisher = await transport.open(topic, defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    await sendRange(publisher, deliveries, { from: 0, to: 5_000 });
    const sending = sendRange(publisher, deliveries, { from: 5_000, to: 15_000 });
    const restarted = broker.restart();
    await sending;
    await publisher.flush(never);
    await restarted;
    expect(deliveries.failed).toEqual([]);
    const read = await readTopicToEnd({ serviceUrl: broker.serviceUrl, topic, token: broker.token });
    const numbers = numbersOf(read);
    expect([...new Set(numbers)]).toEqual(range(15_000));
    // One line for each change of state, not for each try.
    expect(logger.messages("warn").length).toBeLessThan(10);
    expect(logger.linesOf("producer ready")).toHaveLength(2);
  });

  it("says that a token is wrong, without showing it", async () => {
    const { transport, logger } = openWire(wire("token:abc.def.ghi"));
    await using _ = transport;
    const error = await transport
      .open(uniqueTopic(), defaultPublisherOptions, never)
      .catch((reason) => reason);
    expect(error).toMatchObject({
      code: "PIO_PULSAR_AUTHENTICATION",
      remedy: expect.stringContaining("token"),
    });
    expect(JSON.stringify([error.message, error.details, logger.lines])).not.toContain("abc.def.ghi");
  });

  it("says that a token is missing", async () => {
    await using transport = openWire({ serviceUrl: broker.serviceUrl }).transport;
    await expect(transport.open(uniqueTopic(), defaultPublisherOptions, never)).rejects.toMatchObject({
      code: "PIO_PULSAR_AUTHENTICATION",
    });
  });

  it("says that a role may not publish", async () => {
    await using transport = openWire(wire(broker.tokenFor("nobody"))).transport;
    await expect(transport.open(uniqueTopic(), defaultPublisherOptions, never)).rejects.toMatchObject({
      code: "PIO_PULSAR_AUTHORIZATION",
      message: expect.stringContaining("AuthorizationError"),
    });
  });

  it("obeys the broker's own message size", async () => {
    await using transport = openWire(wire(`{"token":"${broker.token}"}`)).transport;
    const options = { ...defaultPublisherOptions, compression: "NONE" as const };
    const publisher = await transport.open(uniqueTopic(), options, never);
    const deliveries = new Deliveries();
    deliveries.send(publisher, { value: Buffer.alloc(1_048_576) });
    deliveries.send(publisher, { value: Buffer.alloc(1_048_576 - 200) });
    await publisher.flush(never);
    expect(deliveries.failed).toHaveLength(1);
    expect(deliveries.outcomes[1]).toHaveProperty("entryId");
  });

  it("fails only the message that the topic's own limit refuses", async () => {
    const topic = uniqueTopic();
    await using transport = openWire(wire(`token:${broker.token}`)).transport;
    const options = { ...defaultPublisherOptions, compression: "NONE" as const, batching: undefined };
    const publisher = await transport.open(topic, options, never);
    const admin = new PulsarAdmin(broker.adminUrl, { token: broker.token });
    await admin.request("POST", `${topic.replace("://", "/")}/maxMessageSize`, 1_000);
    const deliveries = new Deliveries();
    // The policy arrives at the broker's producers a little later.
    while (deliveries.failed.length === 0) {
      for (const size of [10, 2_000, 20]) deliveries.send(publisher, { value: Buffer.alloc(size) });
      await publisher.flush(never);
    }
    expect(deliveries.failed.map((error) => error.code)).toEqual(["PIO_MESSAGE_REFUSED"]);
    expect(deliveries.outcomes.at(-1)).toHaveProperty("entryId");
  });
});
