import { codeOf, remedyOf } from "@pulsar-ts-io/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultPublisherOptions } from "../../src/index.ts";
import { OpeningRig } from "../harness/opening-rig.ts";
import { until } from "../harness/until.ts";
import { WireRig } from "../harness/wire-rig.ts";

const connections = "Reached the maximum number of connections";
const producers = "Topic 'persistent://public/default/t' reached max producers limit";

describe("a publisher whose broker reaches a limit", () => {
  let rig: WireRig;
  let full: boolean;

  beforeEach(() => {
    rig = new WireRig();
    full = false;
  });

  afterEach(() => rig.end());

  const refuseConnections = () =>
    rig.broker.answer("connect", (_, connection) => {
      if (!full) return false;
      connection.tell("error", { requestId: -1, error: 22, message: connections });
      connection.socket.end();
      return undefined;
    });

  const refuseProducers = () =>
    rig.broker.answer("producer", ({ requestId }, connection) =>
      full ? connection.tell("error", { requestId, error: 16, message: producers }) : false,
    );

  const pass = (ms: number) => {
    const end = rig.clock.monotonic() + ms;
    return until(() => rig.clock.monotonic() >= end, rig.clock, 500);
  };

  it.each([
    ["connections", refuseConnections],
    ["producers", refuseProducers],
  ])("waits for as long as the limit of %s lasts, and loses nothing", async (_, refuse) => {
    refuse();
    const publisher = await rig.open(defaultPublisherOptions);
    full = true;
    rig.broker.last.socket.destroy();
    rig.deliveries.send(publisher, { value: Buffer.from("x") });
    await pass(600_000);
    expect(rig.deliveries.settled).toBe(0);
    full = false;
    await pass(6_000);
    expect(rig.deliveries.stored).toHaveLength(1);
    expect(rig.wire.logger.messages("error")).toEqual([]);
  });

  it("waits at its first opening, too", async () => {
    refuseConnections();
    full = true;
    const opening = rig.open(defaultPublisherOptions);
    await pass(20_000);
    full = false;
    await pass(6_000);
    await opening;
  });
});

describe("a list of hosts with one at its limit of connections", () => {
  it.each(["pulsar://broker,gone", "pulsar://gone,broker"])(
    "is waited for, with the setting in the remedy: %s",
    async (serviceUrl) => {
      const rig = new OpeningRig();
      rig.broker.answer("connect", (_, connection) =>
        connection.tell("error", { requestId: -1, error: 22, message: connections }),
      );
      const failure = await rig.tryToOpen({ serviceUrl });
      expect(codeOf(failure)).toBe("PIO_BROKER_LIMIT");
      expect(failure).toMatchObject({ retryable: true, message: expect.stringContaining("gone:6650") });
      expect(remedyOf(failure)).toContain("brokerMaxConnections");
      await rig.end();
    },
  );
});
