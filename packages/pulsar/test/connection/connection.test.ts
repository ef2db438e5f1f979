import type { TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultPublisherOptions, type Publisher } from "../../src/index.ts";
import type { FakeBroker } from "../harness/fake-broker.ts";
import { OpeningRig } from "../harness/opening-rig.ts";
import { Deliveries } from "../harness/recorded-delivery.ts";
import { until } from "../harness/until.ts";
import { never } from "../harness/wire.ts";

describe("a connection to a broker", () => {
  let rig: OpeningRig;
  let broker: FakeBroker;
  let clock: TestClock;

  beforeEach(() => {
    rig = new OpeningRig();
    ({ broker, clock } = rig);
  });

  afterEach(() => rig.end());

  it("asks for life every 30 s, and gives a silent broker up", async () => {
    await rig.tryToOpen();
    const pings = broker.of("ping").length;
    await clock.advance(30_000);
    await until(() => broker.of("ping").length === pings + 1, clock);
    broker.answer("ping", () => undefined);
    await clock.settle();
    await clock.advance(30_000);
    await clock.settle();
    await clock.advance(32_000);
    await until(() => rig.wire?.logger.messages().includes("connection to broker lost") === true, clock);
    await until(() => broker.connections.length === 2, clock);
  });

  it("answers the broker's PING", async () => {
    await rig.tryToOpen();
    broker.last.tell("ping", {});
    await until(() => broker.of("pong").length === 1, clock);
  });

  it("lives on when a command comes that it does not know, and counts it", async () => {
    const publisher = (await rig.tryToOpen()) as Publisher;
    // Type 79, of no protocol that we know.
    broker.last.socket.write(Buffer.from("000000060000000208" + "4f", "hex"));
    const deliveries = new Deliveries();
    deliveries.send(publisher, { value: Buffer.from("x") });
    await publisher.flush(never);
    expect(broker.connections).toHaveLength(1);
    expect(rig.meter.value("pulsar_ts_io_broker_unknown_commands_total")).toBe(1);
  });

  it("leaves a broker whose frames make no sense, and comes back", async () => {
    await rig.tryToOpen();
    broker.last.socket.write(Buffer.from("7fffffff", "hex"));
    await until(() => broker.of("producer").length === 2, clock);
    expect(rig.wire?.logger.linesOf("connection to broker lost")[0]?.fields["err"]).toMatchObject({
      code: "PIO_PULSAR_PROTOCOL",
    });
  });

  it("takes no frame that is longer than the broker said its messages are", async () => {
    broker.maxMessageSize = 1_000;
    await rig.tryToOpen();
    broker.last.socket.write(Buffer.from("00003000", "hex"));
    await until(() => broker.of("producer").length === 2, clock);
    expect(rig.wire?.logger.linesOf("connection to broker lost")[0]?.fields["err"]).toMatchObject({
      code: "PIO_PULSAR_PROTOCOL",
    });
  });

  it("gives up a broker that does not answer the handshake in 30 s", async () => {
    broker.answer("connect", () => undefined);
    expect(await rig.tryToOpen({ operationTimeoutMs: 1_000 })).toMatchObject({
      code: "PIO_PULSAR_TIMEOUT",
      message: expect.stringContaining("handshake"),
    });
  });

  it("shares one connection between publishers to the same broker", async () => {
    const { transport } = rig.connect();
    await Promise.all([1, 2, 3].map((n) => transport.open(`t-${n}`, defaultPublisherOptions, never)));
    expect(broker.connections).toHaveLength(1);
  });
});
