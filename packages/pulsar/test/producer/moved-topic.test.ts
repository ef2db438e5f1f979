import { TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Dial,
  defaultPublisherOptions,
  type Publisher,
  type PublisherOptions,
} from "../../src/index.ts";
import type { Commands } from "../../src/wire/command-types.ts";
import type { FakeBroker } from "../harness/fake-broker.ts";
import { FakeNetwork } from "../harness/fake-network.ts";
import { Deliveries } from "../harness/recorded-delivery.ts";
import { until } from "../harness/until.ts";
import { never, openWire, type TestWire } from "../harness/wire.ts";

const topic = "persistent://public/default/t";
const options: PublisherOptions = { ...defaultPublisherOptions, compression: "NONE", batching: undefined };

describe("a publisher whose producer the broker closes", () => {
  let network: FakeNetwork;
  let broker: FakeBroker;
  let clock: TestClock;
  let deliveries: Deliveries;
  let dialled: string[];
  let wire: TestWire | undefined;

  beforeEach(() => {
    network = new FakeNetwork();
    broker = network.broker("broker");
    clock = new TestClock();
    deliveries = new Deliveries();
    dialled = [];
  });

  afterEach(async () => {
    await wire?.transport.close();
    wire = undefined;
    expect(clock.sleepers).toBe(0);
  });

  const recordingDial: Dial = (address, tls, signal) => {
    dialled.push(`${address.host} ${address.port}`);
    return network.dial(address, tls, signal);
  };

  function open(serviceUrl = broker.url): Promise<Publisher> {
    wire = openWire({ serviceUrl }, clock, { dial: recordingDial });
    return wire.transport.open(topic, options, never);
  }

  const close = (where: Partial<Commands["closeProducer"]>, by = broker) =>
    by.last.tell("closeProducer", { producerId: 0, requestId: -1, ...where });

  async function publish(publisher: Publisher): Promise<void> {
    deliveries.send(publisher, { value: Buffer.from("x") });
    await until(() => deliveries.settled === 1, clock);
    expect(deliveries.stored).toHaveLength(1);
  }

  it("goes where the broker says, without asking again", async () => {
    const other = network.broker("other");
    const publisher = await open();
    close({ brokerServiceUrl: other.url });
    await until(() => other.of("producer").length === 1, clock);
    expect(broker.of("lookup")).toHaveLength(1);
    await publish(publisher);
    expect(other.sends).toHaveLength(1);
  });

  it("sends nothing until it is open again", async () => {
    const publisher = await open();
    close({});
    await until(() => wire?.logger.messages().includes("producer lost, opening it again") === true, clock);
    deliveries.send(publisher, { value: Buffer.from("x") });
    await clock.settle();
    expect(broker.sends).toEqual([]);
    await until(() => deliveries.settled === 1, clock);
    expect(broker.of("lookup")).toHaveLength(2);
    expect(broker.connections).toHaveLength(1);
  });

  it("takes the TLS address under TLS", async () => {
    const entry = network.broker("entry", 6651);
    const other = network.broker("other", 6651);
    entry.answer("lookup", ({ requestId }, connection) =>
      connection.tell("lookupResponse", {
        requestId,
        response: 1,
        brokerServiceUrlTls: "pulsar+ssl://entry",
      }),
    );
    await open("pulsar+ssl://entry");
    dialled.length = 0;
    close({ brokerServiceUrl: "pulsar://plain:6650", brokerServiceUrlTls: "pulsar+ssl://other:6651" }, entry);
    await until(() => other.of("producer").length === 1, clock);
    expect(dialled).toEqual(["other 6651"]);
    expect(entry.of("lookup")).toHaveLength(1);
  });

  it("goes there through the proxy that it came by", async () => {
    broker.answer("lookup", ({ requestId }, connection) =>
      connection.tell("lookupResponse", {
        requestId,
        response: 1,
        brokerServiceUrl: "pulsar://hidden-1:6650",
        proxyThroughServiceUrl: true,
      }),
    );
    await open();
    close({ brokerServiceUrl: "pulsar://hidden-2:6650" });
    await until(() => broker.of("producer").length === 2, clock);
    expect(broker.of("connect").map((one) => one.proxyToBrokerUrl)).toEqual([
      undefined,
      "hidden-1:6650",
      "hidden-2:6650",
    ]);
    expect(new Set(dialled)).toEqual(new Set(["broker 6650"]));
  });

  it.each(["", "nowhere", "http://broker:8080", "pulsar://broker:99999", "pulsar://gone:6650"])(
    'looks the topic up where that leads nowhere: "%s"',
    async (brokerServiceUrl) => {
      const publisher = await open();
      close({ brokerServiceUrl });
      await publish(publisher);
      expect(broker.of("lookup")).toHaveLength(2);
    },
  );

  it("looks the topic up again while a broker names what is no address", async () => {
    const publisher = await open();
    let strange = 3;
    broker.answer("lookup", ({ requestId }, connection) => {
      strange -= 1;
      const brokerServiceUrl = "localhost";
      return strange < 0
        ? false
        : connection.tell("lookupResponse", { requestId, response: 1, brokerServiceUrl });
    });
    close({});
    await publish(publisher);
    expect(wire?.logger.messages("error")).toEqual([]);
  });

  it("writes nothing to a producer that was closed as soon as it was opened", async () => {
    const publisher = await open();
    const confirm = broker.onSend;
    broker.onSend = () => undefined;
    deliveries.send(publisher, { value: Buffer.from("x") });
    await until(() => broker.sends.length === 1, clock);
    broker.onSend = confirm;
    let closed = false;
    broker.answer("producer", ({ requestId }, connection) => {
      if (closed) return false;
      closed = true;
      connection.tell("producerSuccess", { requestId, producerName: "given-by-broker" });
      connection.tell("closeProducer", { producerId: 0, requestId: -1 });
      return undefined;
    });
    broker.last.socket.destroy();
    await until(() => deliveries.settled === 1, clock);
    expect(broker.of("producer")).toHaveLength(3);
    expect(broker.sends).toHaveLength(2);
  });
});
