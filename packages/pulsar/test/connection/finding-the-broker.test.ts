import { codeOf } from "@pulsar-ts-io/core";
import { TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Dial, defaultPublisherOptions, type WireOptions } from "../../src/index.ts";
import { FakeNetwork } from "../harness/fake-network.ts";
import { Deliveries } from "../harness/recorded-delivery.ts";
import { until } from "../harness/until.ts";
import { never, openWire, type TestWire } from "../harness/wire.ts";

const topic = "persistent://public/default/t";
const options = { ...defaultPublisherOptions, compression: "NONE" as const };

describe("finding the broker", () => {
  let network: FakeNetwork;
  let clock: TestClock;
  let dialled: string[];
  let wire: TestWire | undefined;

  const recordingDial: Dial = (address, tls, signal) => {
    dialled.push(`${address.host} ${address.port}${tls === undefined ? "" : " with TLS"}`);
    return network.dial(address, tls, signal);
  };

  beforeEach(() => {
    network = new FakeNetwork();
    clock = new TestClock();
    dialled = [];
    // The first of several hosts.
    vi.spyOn(Math, "random").mockReturnValue(0);
  });

  afterEach(async () => {
    await wire?.transport.close();
    wire = undefined;
    vi.restoreAllMocks();
    expect(clock.sleepers).toBe(0);
  });

  function connect(
    serviceUrl: string,
    dial: Dial = recordingDial,
    more: Partial<WireOptions> = {},
  ): TestWire {
    wire = openWire({ serviceUrl, ...more }, clock, { dial });
    return wire;
  }

  const open = (one: TestWire) => one.transport.open(topic, options, never);

  it("begins with any of several hosts, tries them in turn, and stays with the one that answered", async () => {
    network.broker("b");
    vi.spyOn(Math, "random").mockReturnValue(0.4);
    const { transport } = connect("pulsar://x,a,b");
    await transport.open(topic, options, never);
    expect(dialled).toEqual(["a 6650", "b 6650"]);
    dialled.length = 0;
    await transport.open(`${topic}2`, options, never);
    expect(dialled).toEqual([]);
  });

  it("asks the host that answered last first when its connection is gone", async () => {
    const b = network.broker("b");
    await open(connect("pulsar://a,b"));
    expect(dialled).toEqual(["a 6650", "b 6650"]);
    dialled.length = 0;
    b.last.socket.destroy();
    await until(() => b.of("producer").length === 2, clock);
    expect(dialled).toEqual(["b 6650"]);
  });

  it("connects to an IPv6 address without its brackets", async () => {
    const broker = network.broker("::1");
    broker.answer("lookup", ({ requestId }, connection) =>
      connection.tell("lookupResponse", { requestId, response: 1, brokerServiceUrl: "pulsar://[::1]:6650" }),
    );
    await open(connect("pulsar://[::1]"));
    expect(dialled).toEqual(["::1 6650"]);
  });

  it("takes the broker's TLS address under TLS, and the plain one otherwise", async () => {
    const both = { brokerServiceUrl: "pulsar://owner:6650", brokerServiceUrlTls: "pulsar+ssl://owner:6651" };
    for (const name of ["owner", "entry"]) {
      for (const broker of [network.broker(name), network.broker(name, 6651)]) {
        broker.answer("lookup", ({ requestId }, connection) =>
          connection.tell("lookupResponse", { requestId, response: 1, ...both }),
        );
      }
    }
    await using plain = openWire({ serviceUrl: "pulsar://entry" }, clock, { dial: recordingDial }).transport;
    await plain.open(topic, options, never);
    expect(dialled).toEqual(["entry 6650", "owner 6650"]);
    dialled.length = 0;
    await open(connect("pulsar+ssl://entry"));
    expect(dialled).toEqual(["entry 6651 with TLS", "owner 6651 with TLS"]);
  });

  it("says that a broker advertises no address of the kind that is needed", async () => {
    const broker = network.broker("entry", 6651);
    broker.answer("lookup", ({ requestId }, connection) =>
      connection.tell("lookupResponse", { requestId, response: 1, brokerServiceUrl: "pulsar://owner:6650" }),
    );
    await expect(open(connect("pulsar+ssl://entry"))).rejects.toMatchObject({
      message: `the lookup of ${topic} named no broker to connect to with TLS`,
      remedy: "let the brokers advertise a TLS address, or connect with pulsar://",
    });
  });

  it("gives a connection ten seconds", async () => {
    const silent: Dial = (_address, _tls, signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const start = clock.monotonic();
    let failure: unknown;
    open(connect("pulsar://nobody", silent)).catch((error: unknown) => {
      failure = error;
    });
    await until(() => failure !== undefined, clock, 500);
    expect(failure).toMatchObject({
      code: "PIO_PULSAR_UNREACHABLE",
      message: "no connection to nobody:6650: no answer in 10000 ms",
    });
    expect(clock.monotonic() - start).toBeLessThanOrEqual(10_500);
  });

  it("says that whoever hangs up before the handshake is no broker, or speaks TLS, and knows it within the connect time-out", async () => {
    const broker = network.broker("broker");
    broker.answer("connect", (_, connection) => connection.socket.destroy());
    let failure: unknown;
    open(connect(broker.url)).catch((error: unknown) => {
      failure = error;
    });
    await until(() => failure !== undefined, clock, 500);
    expect(failure).toMatchObject({
      code: "PIO_PULSAR_UNREACHABLE",
      message: "broker:6650 hung up before it answered the handshake",
      remedy: expect.stringContaining("pulsar+ssl://"),
    });
    expect(clock.monotonic()).toBeLessThanOrEqual(10_500);
  });

  it("waits longer than any time-out for a producer that is queued", async () => {
    const broker = network.broker("broker");
    broker.answer("producer", ({ requestId }, connection) =>
      connection.tell("producerSuccess", { requestId, producerName: "n", producerReady: false }),
    );
    let isOpen = false;
    const opening = open(connect(broker.url)).then(() => {
      isOpen = true;
    });
    await until(() => broker.of("producer").length === 1, clock);
    for (let minute = 0; minute < 20; minute += 1) {
      await clock.advance(10_000);
      await clock.settle();
    }
    expect([isOpen, broker.of("producer").length]).toEqual([false, 1]);
    const requestId = broker.of("producer")[0]?.requestId ?? -1;
    broker.last.tell("producerSuccess", { requestId, producerName: "n", producerReady: true });
    await opening;
  });

  it("waits 10 s for the answer to each request, and tries again until 30 s have passed", async () => {
    const broker = network.broker("broker");
    broker.answer("partitionedMetadata", () => undefined);
    let failure: unknown;
    open(connect(broker.url)).catch((error: unknown) => {
      failure = error;
    });
    await until(() => failure !== undefined, clock, 500);
    expect(codeOf(failure)).toBe("PIO_PULSAR_TIMEOUT");
    expect(failure).toMatchObject({
      message: expect.stringContaining("was not answered by broker:6650 in 10000 ms"),
    });
    expect(clock.monotonic()).toBeLessThanOrEqual(41_000);
    expect(broker.of("partitionedMetadata").length).toBeGreaterThan(1);
  });

  describe("of a topic that migrates to another cluster", () => {
    it("looks it up there from then on, and sends again what was not confirmed", async () => {
      const [blue, green] = [network.broker("blue"), network.broker("green")];
      const publisher = await open(connect(blue.url));
      const deliveries = new Deliveries();
      blue.onSend = () => undefined;
      deliveries.send(publisher, { value: Buffer.from("x") });
      publisher.flush(never).catch(() => undefined);
      await until(() => blue.sends.length === 1, clock);
      const producerId = blue.of("producer")[0]?.producerId ?? -1;
      blue.last.tell("topicMigrated", {
        resourceId: producerId,
        resourceType: 0,
        brokerServiceUrl: green.url,
        brokerServiceUrlTls: "pulsar+ssl://green:6651",
      });
      blue.last.tell("closeProducer", { producerId, requestId: -1 });
      await until(() => deliveries.stored.length === 1, clock);
      expect(green.sends.map((send) => send.bytes)).toEqual(blue.sends.map((send) => send.bytes));
      green.last.socket.destroy();
      await until(() => green.of("producer").length === 2, clock);
      expect(green.of("lookup")).toHaveLength(2);
      expect([blue.of("lookup").length, blue.of("producer").length]).toEqual([1, 1]);
      expect(wire?.logger.linesOf("topic migrated to another cluster")[0]?.fields).toMatchObject({
        to: "green:6650",
      });
    });

    it("follows also when the old cluster closes the producer instead of opening it", async () => {
      const [blue, green] = [network.broker("blue"), network.broker("green")];
      blue.answer("producer", ({ producerId }, connection) => {
        const resource = { resourceId: producerId, resourceType: 0 };
        connection.tell("topicMigrated", { ...resource, brokerServiceUrl: green.url });
        connection.tell("closeProducer", { producerId, requestId: -1 });
      });
      let isOpen = false;
      const opening = open(connect(blue.url)).then(() => {
        isOpen = true;
      });
      await until(() => isOpen, clock);
      await opening;
      expect(green.of("producer")).toHaveLength(1);
      expect(clock.monotonic()).toBeLessThan(1_000);
    });
  });
});
