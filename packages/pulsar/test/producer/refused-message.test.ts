import { codeOf } from "@pulsar-ts-io/core";
import type { TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FakeBroker } from "../harness/fake-broker.ts";
import type { Deliveries } from "../harness/recorded-delivery.ts";
import { until } from "../harness/until.ts";
import { never } from "../harness/wire.ts";
import { batched, numberedMessage, numbersSent, unbatched, WireRig } from "../harness/wire-rig.ts";

describe("a publisher whose message is refused", () => {
  let rig: WireRig;
  let broker: FakeBroker;
  let clock: TestClock;
  let deliveries: Deliveries;

  beforeEach(() => {
    rig = new WireRig();
    ({ broker, clock, deliveries } = rig);
  });

  afterEach(() => rig.end());

  const refuse = (error: number, sequenceId: number) => {
    broker.onSend = (one, connection) => {
      if (
        one.sequenceId !== sequenceId ||
        broker.sends.filter((s) => s.sequenceId === sequenceId).length > 1
      ) {
        connection.receipt(one, { ledgerId: 1n, entryId: 1n });
      } else {
        const { producerId, highestSequenceId } = one;
        const highest = highestSequenceId ?? sequenceId;
        connection.tell("sendError", { producerId, sequenceId: highest, error, message: "no" });
      }
    };
  };

  it("fails the one the broker does not allow, found by its highest id, and no other", async () => {
    const publisher = await rig.open(batched);
    refuse(22, 1);
    rig.send(publisher, 0);
    await publisher.flush(never);
    rig.send(publisher, 1, 2);
    await publisher.flush(never);
    rig.send(publisher, 3);
    await publisher.flush(never);
    expect(deliveries.outcomes.map((outcome) => codeOf(outcome))).toEqual([
      undefined,
      "PIO_MESSAGE_REFUSED",
      "PIO_MESSAGE_REFUSED",
      undefined,
    ]);
    expect(deliveries.failed.map(({ details }) => details["messages"])).toEqual([2, 2]); // together
    expect(broker.of("producer")).toHaveLength(1);
  });

  it("closes the producer, opens it again and sends all again when the broker could not store it", async () => {
    const publisher = await rig.open(unbatched);
    refuse(2, 0);
    rig.send(publisher, 0);
    await until(() => deliveries.settled === 1, clock);
    expect(broker.connections).toHaveLength(1);
    const names = broker.last.commands.map((command) => command.name);
    expect(names.filter((name) => name === "producer" || name === "closeProducer")).toEqual([
      "producer",
      "closeProducer",
      "producer",
    ]);
    expect(deliveries.failed).toEqual([]);
    expect(numbersSent(broker)).toEqual([[0], [0]]);
  });

  it.each([0, 1, 3, 4, 6, 11, 99])(
    "opens it again also after error %i, which waiting may mend",
    async (error) => {
      const publisher = await rig.open(unbatched);
      refuse(error, 0);
      rig.send(publisher, 0);
      await until(() => deliveries.settled === 1, clock);
      expect(deliveries.failed).toEqual([]);
      expect(broker.of("producer")).toHaveLength(2);
    },
  );

  it("writes nothing more after that, before it is open again", async () => {
    const publisher = await rig.open(unbatched);
    rig.holdReceipts();
    publisher.send(numberedMessage(0), { stored: () => rig.send(publisher, 2), failed: () => undefined });
    rig.send(publisher, 1);
    await until(() => broker.sends.length === 2, clock);
    const [first] = broker.sends;
    // In one go: by the time of the receipt, whose owner sends once more, the session is lost.
    broker.last.tell("sendError", { producerId: 0, sequenceId: 1, error: 2, message: "no" });
    if (first !== undefined) broker.last.receipt(first, { ledgerId: 1n, entryId: 0n });
    await clock.settle();
    expect(numbersSent(broker)).toEqual([[0], [1]]);
    rig.confirm();
    await until(() => deliveries.settled === 2, clock);
    expect(numbersSent(broker)).toEqual([[0], [1], [1], [2]]);
  });

  it("fails a message that its owner changed after sending it", async () => {
    const publisher = await rig.open(unbatched);
    rig.holdReceipts();
    const value = Buffer.from("message 0");
    deliveries.send(publisher, { value });
    await until(() => broker.sends.length === 1, clock);
    value[0] = 0;
    broker.last.tell("sendError", { producerId: 0, sequenceId: 0, error: 9, message: "checksum" });
    await until(() => deliveries.settled === 1, clock);
    expect(deliveries.failed.map((error) => [error.code, error.message])).toEqual([
      ["PIO_MESSAGE_REFUSED", expect.stringContaining("was changed")],
    ]);
  });

  it("sends a message again whose bytes were harmed on the way", async () => {
    const publisher = await rig.open(unbatched);
    refuse(9, 0);
    rig.send(publisher, 0);
    await until(() => deliveries.settled === 1, clock);
    expect(deliveries.failed).toEqual([]);
  });

  it("fails everything when the topic is terminated", async () => {
    const publisher = await rig.open(unbatched);
    refuse(15, 0);
    rig.send(publisher, 0);
    await until(() => deliveries.settled === 1, clock);
    rig.send(publisher, 1);
    await clock.settle();
    expect(deliveries.failed.map(codeOf)).toEqual(["PIO_TOPIC_TERMINATED", "PIO_TOPIC_TERMINATED"]);
    await expect(publisher.room(never)).rejects.toMatchObject({ code: "PIO_TOPIC_TERMINATED" });
  });
});
