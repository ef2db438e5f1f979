import { codeOf } from "@pulsar-ts-io/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultPublisherOptions } from "../../src/index.ts";
import { until } from "../harness/until.ts";
import { WireRig } from "../harness/wire-rig.ts";

const exclusive = { ...defaultPublisherOptions, accessMode: "Exclusive" as const, producerName: "mine" };
const held = (name: string) => `Topic has an existing exclusive producer: ${name}`;

describe("a publisher with exclusive access", () => {
  let rig: WireRig;
  /** What PRODUCER is refused with; `undefined`: it is accepted. */
  let refusal: string | undefined;

  beforeEach(() => {
    rig = new WireRig();
    refusal = undefined;
    rig.broker.answer("producer", ({ requestId }, connection) => {
      if (refusal === undefined)
        connection.tell("producerSuccess", { requestId, producerName: "mine", topicEpoch: 4 });
      else connection.tell("error", { requestId, error: 25, message: refusal });
    });
  });

  afterEach(() => rig.end());

  /** A publisher with one message that is not confirmed, whose connection has just been lost. */
  async function lose(): Promise<void> {
    const publisher = await rig.open(exclusive);
    rig.holdReceipts();
    rig.deliveries.send(publisher, { value: Buffer.from("x") });
    rig.broker.last.socket.destroy();
  }

  it("asks for it, and gives the topic's epoch back when it opens again", async () => {
    await lose();
    await until(() => rig.broker.of("producer").length === 2, rig.clock);
    expect(rig.broker.of("producer")).toMatchObject([{ accessMode: 1 }, { accessMode: 1, topicEpoch: 4 }]);
    expect(rig.broker.of("producer")[0]).not.toHaveProperty("topicEpoch");
  });

  it.each([held("other"), held("mine"), "Topic has existing shared producers"])(
    "is refused at once where there is another: %s",
    async (message) => {
      refusal = message;
      await expect(rig.open(exclusive)).rejects.toMatchObject({ code: "PIO_PRODUCER_FENCED" });
    },
  );

  it("waits for the broker to find out that its own connection is dead", async () => {
    refusal = undefined;
    await lose();
    refusal = held("mine");
    const start = rig.clock.monotonic();
    await until(() => rig.clock.monotonic() - start > 85_000, rig.clock, 1_000);
    expect(rig.deliveries.settled).toBe(0);
    refusal = undefined;
    await until(() => rig.wire.logger.linesOf("producer ready").length === 2, rig.clock, 1_000);
  });

  it("does not wait for that longer than 90 s", async () => {
    await lose();
    refusal = held("mine");
    const start = rig.clock.monotonic();
    await until(() => rig.deliveries.settled === 1, rig.clock, 1_000);
    expect(rig.clock.monotonic() - start).toBeGreaterThan(90_000);
    expect(rig.deliveries.failed.map(codeOf)).toEqual(["PIO_PRODUCER_FENCED"]);
  });

  it.each([held("other"), "Topic epoch has already moved. Current epoch: 5, Producer epoch: 4"])(
    "gives up at once when somebody else had the topic since: %s",
    async (message) => {
      await lose();
      refusal = message;
      await until(() => rig.deliveries.settled === 1, rig.clock, 20);
      expect(rig.clock.monotonic()).toBeLessThan(1_000);
      expect(rig.deliveries.failed.map(codeOf)).toEqual(["PIO_PRODUCER_FENCED"]);
    },
  );
});
