import { codeOf } from "@pulsar-ts-io/core";
import type { TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Publisher } from "../../src/index.ts";
import type { FakeBroker } from "../harness/fake-broker.ts";
import { OpeningRig } from "../harness/opening-rig.ts";
import { Deliveries } from "../harness/recorded-delivery.ts";
import { until } from "../harness/until.ts";

describe("a publisher that is opened again", () => {
  let rig: OpeningRig;
  let broker: FakeBroker;
  let clock: TestClock;

  beforeEach(() => {
    rig = new OpeningRig();
    ({ broker, clock } = rig);
  });

  afterEach(() => rig.end());

  const reopened = (error: number, times: number) => {
    let asked = 0;
    broker.answer("producer", ({ requestId }, connection) => {
      asked += 1;
      if (asked > times) return false;
      connection.tell("error", { requestId, error, message: "no" });
      return undefined;
    });
    broker.last.socket.destroy();
  };

  it.each([3, 4, 6, 7, 8, 16, 11])("is patient with error %i", async (error) => {
    await rig.tryToOpen();
    reopened(error, 3);
    await rig.ready(2);
  });

  it.each([1, 3, 4, 6, 8, 16])("is open within 15 s after ten minutes of error %i", async (error) => {
    await rig.tryToOpen();
    let refuses = true;
    broker.answer("producer", ({ requestId }, connection) => {
      if (refuses) connection.tell("error", { requestId, error, message: "no" });
      return refuses ? undefined : false;
    });
    broker.last.socket.destroy();
    const lifted = clock.monotonic() + 600_000;
    await until(() => clock.monotonic() >= lifted, clock, 500);
    refuses = false;
    await rig.ready(2);
    expect(clock.monotonic() - lifted).toBeLessThanOrEqual(15_000);
  });

  it.each([
    [17, "PIO_INVALID_TOPIC_NAME"],
    [18, "PIO_BROKER_REFUSED"],
    [15, "PIO_TOPIC_TERMINATED"],
    [11, "PIO_TOPIC_NOT_FOUND"],
  ])("gives up in the end because of error %i", async (error, code) => {
    const publisher = (await rig.tryToOpen()) as Publisher;
    const deliveries = new Deliveries();
    broker.onSend = () => undefined;
    deliveries.send(publisher, { value: Buffer.from("x") });
    reopened(error, Number.POSITIVE_INFINITY);
    await until(() => deliveries.settled === 1, clock, 500);
    expect(deliveries.failed.map(codeOf)).toEqual([code]);
    expect(rig.wire?.logger.messages("error")).toEqual(["producer failed for good"]);
  });

  it("closes a producer whose opening again was not answered, before it asks once more", async () => {
    await rig.tryToOpen();
    let asked = 0;
    broker.answer("producer", () => {
      asked += 1;
      return asked === 1 ? undefined : false;
    });
    broker.last.socket.destroy();
    await rig.ready(2, 1_000);
    const names = broker.last.commands.map((one) => one.name);
    expect(names.filter((name) => name.endsWith("roducer"))).toEqual([
      "producer",
      "closeProducer",
      "producer",
    ]);
  });
});
