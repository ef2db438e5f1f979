import { codeOf } from "@pulsar-ts-io/core";
import type { TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FakeBroker } from "../harness/fake-broker.ts";
import type { Deliveries } from "../harness/recorded-delivery.ts";
import { until } from "../harness/until.ts";
import { never } from "../harness/wire.ts";
import { batched, numberedMessage, numbersSent, unbatched, WireRig } from "../harness/wire-rig.ts";

describe("a publisher whose connection is lost", () => {
  let rig: WireRig;
  let broker: FakeBroker;
  let clock: TestClock;
  let deliveries: Deliveries;

  beforeEach(() => {
    rig = new WireRig();
    ({ broker, clock, deliveries } = rig);
  });

  afterEach(() => rig.end());

  it("writes the very same frames again, in order, before anything new", async () => {
    const publisher = await rig.open(batched);
    rig.holdReceipts();
    rig.send(publisher, 0, 1);
    publisher.flush(never).catch(() => undefined);
    rig.send(publisher, 2);
    publisher.flush(never).catch(() => undefined);
    await until(() => broker.sends.length === 2, clock);
    const before = broker.sends.map((one) => one.bytes);
    rig.confirm();
    broker.last.socket.destroy();
    rig.send(publisher, 3, 4);
    await until(() => broker.sends.length === 5, clock);
    expect(broker.sends.slice(2, 4).map((one) => one.bytes)).toEqual(before);
    expect(numbersSent(broker)).toEqual([[0, 1], [2], [0, 1], [2], [3, 4]]);
    await publisher.flush(never);
    expect(deliveries.order).toEqual([0, 1, 2, 3, 4]);
    expect(deliveries.failed).toEqual([]);
  });

  it("opens the producer again under the broker's name, with the next epoch and the topic's", async () => {
    broker.answer("producer", ({ requestId }, connection) =>
      connection.tell("producerSuccess", { requestId, producerName: "standalone-0-9", topicEpoch: 4 }),
    );
    await rig.open(unbatched);
    broker.last.socket.destroy();
    await until(() => broker.of("producer").length === 2, clock);
    expect(broker.of("producer")).toMatchObject([
      { epoch: 0, userProvidedProducerName: false },
      { epoch: 1, userProvidedProducerName: false, producerName: "standalone-0-9", topicEpoch: 4 },
    ]);
    expect(broker.of("producer")[0]).not.toHaveProperty("producerName");
  });

  it.each([
    { first: -1, later: 40, sent: 0 },
    { first: -1, later: 40, sent: 2 },
    { first: 11, later: -1, sent: 0 },
    { first: 11, later: 11, sent: 2 },
    { first: 11, later: undefined, sent: 2 },
  ])(
    "counts on from the first last id it was told, $first, and $sent messages since, though it is told $later now",
    async ({ first, later, sent }) => {
      let lastSequenceId: number | undefined = first;
      broker.answer("producer", ({ requestId }, connection) =>
        connection.tell("producerSuccess", { requestId, producerName: "n", lastSequenceId }),
      );
      const publisher = await rig.open(batched);
      rig.send(publisher, ...Array(sent).keys());
      await publisher.flush(never);
      lastSequenceId = later;
      for (const sessions of [2, 3]) {
        broker.last.socket.destroy();
        await until(() => rig.wire.logger.linesOf("producer ready").length === sessions, clock);
      }
      rig.send(publisher, 2, 3);
      await publisher.flush(never);
      const ids = broker.sends.map((one) => [one.sequenceId, one.messages.length]);
      const begun = sent === 0 ? [] : [[first + 1, sent]];
      expect(ids).toEqual([...begun, [first + 1 + sent, 2]]);
    },
  );

  /** The next session begins with the broker's last id of the name: `last`. */
  function othersWrote(last: number): void {
    broker.answer("producer", ({ requestId }, connection) =>
      connection.tell("producerSuccess", { requestId, producerName: "mine", lastSequenceId: last }),
    );
    broker.last.socket.destroy();
  }

  it("fails for good rather than send a batch of which another one of its name wrote a part", async () => {
    const publisher = await rig.open({ ...batched, producerName: "mine" });
    rig.holdReceipts();
    for (const id of [0, 1, 2, 3]) deliveries.send(publisher, numberedMessage(id), BigInt(id));
    await until(() => broker.sends.length === 1, clock);
    othersWrote(1);
    await until(() => deliveries.settled === 4, clock);
    expect(deliveries.failed.map(({ code }) => code)).toEqual(Array(4).fill("PIO_PRODUCER_FENCED"));
    expect(broker.sends).toHaveLength(1);
    await publisher.close();
    expect(broker.of("closeProducer")).toHaveLength(1);
  });

  it("sends on when another one of its name wrote whole batches of it, and repeats the rest one by one", async () => {
    const publisher = await rig.open({ ...batched, producerName: "mine" });
    rig.holdReceipts();
    for (const id of [0, 1]) deliveries.send(publisher, numberedMessage(id), BigInt(id));
    await until(() => broker.sends.length === 1, clock);
    othersWrote(3);
    await until(() => broker.sends.length === 2, clock);
    for (const id of [2, 3, 4, 5]) deliveries.send(publisher, numberedMessage(id), BigInt(id));
    await until(() => broker.sends.length === 5, clock);
    expect(numbersSent(broker)).toEqual([[0, 1], [0, 1], [2], [3], [4, 5]]);
  });

  it("says that a name was the user's own", async () => {
    await rig.open({ ...unbatched, producerName: "mine" });
    expect(broker.of("producer")).toMatchObject([{ producerName: "mine", userProvidedProducerName: true }]);
  });

  it("fails a frame that the new broker would find too large, and goes on with the others", async () => {
    const publisher = await rig.open(unbatched);
    rig.holdReceipts();
    deliveries.send(publisher, { value: Buffer.alloc(500) });
    rig.send(publisher, 1);
    await until(() => broker.sends.length === 2, clock);
    broker.maxMessageSize = 300;
    rig.confirm();
    broker.last.socket.destroy();
    await until(() => deliveries.settled === 2, clock);
    expect(deliveries.failed.map(codeOf)).toEqual(["PIO_MESSAGE_TOO_LARGE"]);
    expect(deliveries.outcomes[1]).toHaveProperty("entryId");
  });

  it("writes what was sent before also before what is sent by whoever learns that a frame is too large", async () => {
    const publisher = await rig.open(unbatched);
    rig.holdReceipts();
    const again = { stored: () => undefined, failed: () => rig.send(publisher, 3) };
    publisher.send({ value: Buffer.alloc(500) }, again);
    rig.send(publisher, 1, 2);
    await until(() => broker.sends.length === 3, clock);
    broker.maxMessageSize = 300;
    rig.confirm();
    broker.last.socket.destroy();
    await until(() => deliveries.settled === 3, clock);
    expect(numbersSent(broker).slice(3)).toEqual([[1], [2], [3]]);
    expect(broker.connections).toHaveLength(2);
  });

  it("comes back within a fraction of a second each time, also when nothing was sent in between", async () => {
    await rig.open(unbatched);
    for (let round = 2; round < 15; round += 1) {
      await clock.advance(10_000);
      const start = clock.monotonic();
      broker.last.socket.destroy();
      await until(() => rig.wire.logger.linesOf("producer ready").length === round, clock);
      expect(clock.monotonic() - start).toBeLessThan(200);
    }
  });

  it("comes back within a fraction of a second each time, however soon, as long as something was confirmed", async () => {
    const publisher = await rig.open(unbatched);
    for (let round = 2; round < 15; round += 1) {
      rig.send(publisher, round);
      await publisher.flush(never);
      const start = clock.monotonic();
      broker.last.socket.destroy();
      await until(() => rig.wire.logger.linesOf("producer ready").length === round, clock);
      expect(clock.monotonic() - start).toBeLessThan(200);
    }
  });

  it("says each change of state once, however often it tries", async () => {
    await rig.open(unbatched);
    let tries = 0;
    broker.answer("lookup", ({ requestId }, connection) => {
      tries += 1;
      if (tries > 10) return false;
      connection.tell("lookupResponse", { requestId, response: 2, error: 6, message: "not ready" });
      return undefined;
    });
    broker.last.socket.destroy();
    await until(() => rig.wire.logger.linesOf("producer ready").length === 2, clock, 1_000);
    expect(rig.wire.logger.messages().filter((line) => line !== "connected to broker")).toEqual([
      "producer ready",
      "connection to broker lost",
      "producer lost, opening it again",
      "producer still lost, trying again",
      "producer ready",
    ]);
  });
});
