import { codeOf } from "@pulsar-ts-io/core";
import { TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { defaultPublisherOptions, type Publisher, type PublisherOptions } from "../src/index.ts";
import type { FakeBroker } from "./harness/fake-broker.ts";
import { FakeNetwork } from "./harness/fake-network.ts";
import { Deliveries } from "./harness/recorded-delivery.ts";
import { until } from "./harness/until.ts";
import { never, openWire, type TestWire } from "./harness/wire.ts";

const topic = "persistent://public/default/t";
const unbatched: PublisherOptions = { ...defaultPublisherOptions, compression: "NONE", batching: undefined };
const batched: PublisherOptions = { ...defaultPublisherOptions, compression: "NONE" };

const message = (index: number) => ({ value: Buffer.from(`message ${index}`), key: `key-${index}` });
const values = (broker: FakeBroker) =>
  broker.sends.map((send) => send.messages.map((one) => Number(Buffer.from(one.value).toString().slice(8))));

describe("a publisher over the wire", () => {
  let network: FakeNetwork;
  let broker: FakeBroker;
  let clock: TestClock;
  let wire: TestWire;
  let deliveries: Deliveries;

  beforeEach(() => {
    network = new FakeNetwork();
    broker = network.broker("broker");
    clock = new TestClock();
    wire = openWire({ serviceUrl: broker.url }, clock, { dial: network.dial });
    deliveries = new Deliveries();
  });

  afterEach(async () => {
    await wire.transport.close();
    expect(clock.sleepers).toBe(0);
  });

  const open = (options: PublisherOptions) => wire.transport.open(topic, options, never);
  const send = (publisher: Publisher, ...indexes: number[]) => {
    for (const index of indexes) deliveries.send(publisher, message(index));
  };
  const holdReceipts = () => {
    broker.onSend = () => undefined;
  };
  const confirmHonestly = (entryId = 0n) => {
    let next = entryId;
    broker.onSend = (one, connection) => connection.receipt(one, { ledgerId: 1n, entryId: next++ });
  };

  describe("whose connection is lost", () => {
    it("writes the very same frames again, in order, before anything new", async () => {
      const publisher = await open(batched);
      holdReceipts();
      send(publisher, 0, 1);
      publisher.flush(never).catch(() => undefined);
      send(publisher, 2);
      publisher.flush(never).catch(() => undefined);
      await until(() => broker.sends.length === 2, clock);
      const before = broker.sends.map((one) => one.bytes);
      confirmHonestly();
      broker.last.socket.destroy();
      send(publisher, 3, 4);
      await until(() => broker.sends.length === 5, clock);
      expect(broker.sends.slice(2, 4).map((one) => one.bytes)).toEqual(before);
      expect(values(broker)).toEqual([[0, 1], [2], [0, 1], [2], [3, 4]]);
      await publisher.flush(never);
      expect(deliveries.order).toEqual([0, 1, 2, 3, 4]);
      expect(deliveries.failed).toEqual([]);
    });

    it("opens the producer again under the broker's name, with the next epoch and the topic's", async () => {
      broker.answer("producer", ({ requestId }, connection) =>
        connection.tell("producerSuccess", { requestId, producerName: "standalone-0-9", topicEpoch: 4 }),
      );
      await open(unbatched);
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
        const publisher = await open(batched);
        send(publisher, ...Array(sent).keys());
        await publisher.flush(never);
        lastSequenceId = later;
        for (const sessions of [2, 3]) {
          broker.last.socket.destroy();
          await until(() => wire.logger.linesOf("producer ready").length === sessions, clock);
        }
        send(publisher, 2, 3);
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
      const publisher = await open({ ...batched, producerName: "mine" });
      holdReceipts();
      for (const id of [0, 1, 2, 3]) deliveries.send(publisher, message(id), BigInt(id));
      await until(() => broker.sends.length === 1, clock);
      othersWrote(1);
      await until(() => deliveries.settled === 4, clock);
      expect(deliveries.failed.map(({ code }) => code)).toEqual(Array(4).fill("PIO_PRODUCER_FENCED"));
      expect(broker.sends).toHaveLength(1);
      await publisher.close();
      expect(broker.of("closeProducer")).toHaveLength(1);
    });

    it("sends on when another one of its name wrote whole batches of it, and repeats the rest one by one", async () => {
      const publisher = await open({ ...batched, producerName: "mine" });
      holdReceipts();
      for (const id of [0, 1]) deliveries.send(publisher, message(id), BigInt(id));
      await until(() => broker.sends.length === 1, clock);
      othersWrote(3);
      await until(() => broker.sends.length === 2, clock);
      for (const id of [2, 3, 4, 5]) deliveries.send(publisher, message(id), BigInt(id));
      await until(() => broker.sends.length === 5, clock);
      expect(values(broker)).toEqual([[0, 1], [0, 1], [2], [3], [4, 5]]);
    });

    it("says that a name was the user's own", async () => {
      await open({ ...unbatched, producerName: "mine" });
      expect(broker.of("producer")).toMatchObject([{ producerName: "mine", userProvidedProducerName: true }]);
    });

    it("fails a frame that the new broker would find too large, and goes on with the others", async () => {
      const publisher = await open(unbatched);
      holdReceipts();
      deliveries.send(publisher, { value: Buffer.alloc(500) });
      send(publisher, 1);
      await until(() => broker.sends.length === 2, clock);
      broker.maxMessageSize = 300;
      confirmHonestly();
      broker.last.socket.destroy();
      await until(() => deliveries.settled === 2, clock);
      expect(deliveries.failed.map(codeOf)).toEqual(["PIO_MESSAGE_TOO_LARGE"]);
      expect(deliveries.outcomes[1]).toHaveProperty("entryId");
    });

    it("comes back within a fraction of a second each time, also when nothing was sent in between", async () => {
      await open(unbatched);
      for (let round = 2; round < 15; round += 1) {
        await clock.advance(10_000);
        const start = clock.monotonic();
        broker.last.socket.destroy();
        await until(() => wire.logger.linesOf("producer ready").length === round, clock);
        expect(clock.monotonic() - start).toBeLessThan(200);
      }
    });

    it("comes back within a fraction of a second each time, however soon, as long as something was confirmed", async () => {
      const publisher = await open(unbatched);
      for (let round = 2; round < 15; round += 1) {
        send(publisher, round);
        await publisher.flush(never);
        const start = clock.monotonic();
        broker.last.socket.destroy();
        await until(() => wire.logger.linesOf("producer ready").length === round, clock);
        expect(clock.monotonic() - start).toBeLessThan(200);
      }
    });

    it("says each change of state once, however often it tries", async () => {
      await open(unbatched);
      let tries = 0;
      broker.answer("lookup", ({ requestId }, connection) => {
        tries += 1;
        if (tries > 10) return false;
        connection.tell("lookupResponse", { requestId, response: 2, error: 6, message: "not ready" });
        return undefined;
      });
      broker.last.socket.destroy();
      await until(() => wire.logger.linesOf("producer ready").length === 2, clock, 1_000);
      expect(wire.logger.messages().filter((line) => line !== "connected to broker")).toEqual([
        "producer ready",
        "connection to broker lost",
        "producer lost, opening it again",
        "producer still lost, trying again",
        "producer ready",
      ]);
    });
  });

  describe("when receipts come", () => {
    it("ignores one for what was settled before", async () => {
      const publisher = await open(unbatched);
      broker.onSend = (one, connection) => {
        connection.receipt(
          { ...one, sequenceId: Math.max(0, one.sequenceId - 1) },
          { ledgerId: 9n, entryId: 9n },
        );
        if (one.sequenceId > 0) connection.receipt(one, { ledgerId: 1n, entryId: 1n });
      };
      send(publisher, 0, 1);
      await publisher.flush(never);
      expect(deliveries.stored.map((id) => id.ledgerId)).toEqual([9n, 1n]);
      expect(broker.connections).toHaveLength(1);
    });

    it("sends everything again over a new connection when one was skipped", async () => {
      const publisher = await open(unbatched);
      broker.onSend = (one, connection) => {
        if (one.sequenceId === 1) connection.receipt(one, { ledgerId: 1n, entryId: 1n });
      };
      send(publisher, 0, 1);
      await until(() => broker.connections[0]?.socket.destroyed === true, clock);
      confirmHonestly();
      await until(() => deliveries.settled === 2, clock);
      expect(values(broker)).toEqual([[0], [1], [0], [1]]);
      expect(deliveries.failed).toEqual([]);
    });

    it("gives each message of a batch its own place in it", async () => {
      const publisher = await open(batched);
      send(publisher, 0, 1, 2);
      await publisher.flush(never);
      expect(deliveries.stored.map((id) => id.batchIndex)).toEqual([0, 1, 2]);
    });

    it("takes an answer without a message id for a loss where it can be no duplicate", async () => {
      const publisher = await open(unbatched);
      broker.onSend = (one, connection) => connection.receipt(one, { ledgerId: -1n, entryId: -1n });
      send(publisher, 0);
      deliveries.send(publisher, message(1), 7n);
      await publisher.flush(never);
      expect(deliveries.failed.map(codeOf)).toEqual(["PIO_MESSAGE_NOT_STORED"]);
      expect(deliveries.outcomes[1]).toBe("duplicate");
    });

    it("takes it for a loss always where nothing is kept: such a topic drops messages under load", async () => {
      const publisher = await wire.transport.open("non-persistent://public/default/t", unbatched, never);
      broker.onSend = (one, connection) => connection.receipt(one, { ledgerId: -1n, entryId: -1n });
      deliveries.send(publisher, message(0), 7n);
      await publisher.flush(never);
      expect(deliveries.failed.map(({ code, remedy }) => [code, remedy])).toEqual([
        ["PIO_MESSAGE_NOT_STORED", expect.stringContaining("publish to a persistent topic")],
      ]);
    });

    it("takes an answer without a message id for a duplicate where the frame was written twice", async () => {
      const publisher = await open(unbatched);
      holdReceipts();
      send(publisher, 0);
      await until(() => broker.sends.length === 1, clock);
      broker.onSend = (one, connection) => connection.receipt(one, { ledgerId: -1n, entryId: -1n });
      broker.last.socket.destroy();
      await until(() => deliveries.settled === 1, clock);
      expect(deliveries.outcomes).toEqual(["duplicate"]);
    });
  });

  describe("whose message is refused", () => {
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
      const publisher = await open(batched);
      refuse(22, 1);
      send(publisher, 0);
      await publisher.flush(never);
      send(publisher, 1, 2);
      await publisher.flush(never);
      send(publisher, 3);
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
      const publisher = await open(unbatched);
      refuse(2, 0);
      send(publisher, 0);
      await until(() => deliveries.settled === 1, clock);
      expect(broker.connections).toHaveLength(1);
      const names = broker.last.commands.map((command) => command.name);
      expect(names.filter((name) => name === "producer" || name === "closeProducer")).toEqual([
        "producer",
        "closeProducer",
        "producer",
      ]);
      expect(deliveries.failed).toEqual([]);
      expect(values(broker)).toEqual([[0], [0]]);
    });

    it.each([0, 1, 3, 4, 6, 11, 99])(
      "opens it again also after error %i, which waiting may mend",
      async (error) => {
        const publisher = await open(unbatched);
        refuse(error, 0);
        send(publisher, 0);
        await until(() => deliveries.settled === 1, clock);
        expect(deliveries.failed).toEqual([]);
        expect(broker.of("producer")).toHaveLength(2);
      },
    );

    it("writes nothing more after that, before it is open again", async () => {
      const publisher = await open(unbatched);
      holdReceipts();
      publisher.send(message(0), { stored: () => send(publisher, 2), failed: () => undefined });
      send(publisher, 1);
      await until(() => broker.sends.length === 2, clock);
      const [first] = broker.sends;
      // In one go: by the time of the receipt, whose owner sends once more, the session is lost.
      broker.last.tell("sendError", { producerId: 0, sequenceId: 1, error: 2, message: "no" });
      if (first !== undefined) broker.last.receipt(first, { ledgerId: 1n, entryId: 0n });
      await clock.settle();
      expect(values(broker)).toEqual([[0], [1]]);
      confirmHonestly();
      await until(() => deliveries.settled === 2, clock);
      expect(values(broker)).toEqual([[0], [1], [1], [2]]);
    });

    it("fails a message that its owner changed after sending it", async () => {
      const publisher = await open(unbatched);
      holdReceipts();
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
      const publisher = await open(unbatched);
      refuse(9, 0);
      send(publisher, 0);
      await until(() => deliveries.settled === 1, clock);
      expect(deliveries.failed).toEqual([]);
    });

    it("fails everything when the topic is terminated", async () => {
      const publisher = await open(unbatched);
      refuse(15, 0);
      send(publisher, 0);
      await until(() => deliveries.settled === 1, clock);
      send(publisher, 1);
      await clock.settle();
      expect(deliveries.failed.map(codeOf)).toEqual(["PIO_TOPIC_TERMINATED", "PIO_TOPIC_TERMINATED"]);
      await expect(publisher.room(never)).rejects.toMatchObject({ code: "PIO_TOPIC_TERMINATED" });
    });
  });

  describe("that forms batches", () => {
    it("sends them after the delay, with the ids of first and last", async () => {
      const publisher = await open(batched);
      send(publisher, 0, 1);
      await clock.advance(9);
      await clock.settle();
      expect(broker.sends).toEqual([]);
      await clock.advance(1);
      await until(() => broker.sends.length === 1, clock);
      expect(broker.sends).toMatchObject([{ sequenceId: 0, highestSequenceId: 1, numMessages: 2 }]);
    });

    it("gives a batch that begins later its own delay", async () => {
      const publisher = await open({
        ...batched,
        batching: { maxDelayMs: 10, maxMessages: 2, maxBytes: 1e5 },
      });
      send(publisher, 0);
      await clock.advance(6);
      send(publisher, 1, 2);
      await until(() => broker.sends.length === 1, clock);
      await clock.advance(9);
      await clock.settle();
      expect(values(broker)).toEqual([[0, 1]]);
      await clock.advance(1);
      await until(() => broker.sends.length === 2, clock);
    });

    it("sends them at their limits of messages and bytes, and a batch of one as a plain message", async () => {
      const publisher = await open({
        ...batched,
        batching: { maxDelayMs: 1e6, maxMessages: 3, maxBytes: 400 },
      });
      send(publisher, 0, 1, 2);
      deliveries.send(publisher, { value: Buffer.alloc(200, "message 3") });
      deliveries.send(publisher, { value: Buffer.alloc(200, "message 4") });
      deliveries.send(publisher, { value: Buffer.alloc(2_000, "message 5") });
      await until(() => broker.sends.length === 4, clock);
      expect(broker.sends.map((one) => one.messages.map((each) => each.batchIndex))).toEqual([
        [0, 1, 2],
        [-1],
        [-1],
        [-1],
      ]);
      expect(broker.sends.map((one) => one.sequenceId)).toEqual([0, 3, 4, 5]);
    });

    it("sends them at once when someone waits for room", async () => {
      const publisher = await open({ ...batched, maxPendingMessages: 2 });
      send(publisher, 0, 1);
      expect(publisher.full).toBe(true);
      await publisher.room(never);
      expect(values(broker)).toEqual([[0, 1]]);
    });

    it("starts after the ids the broker remembers, and repeats those one by one", async () => {
      broker.answer("producer", ({ requestId }, connection) =>
        connection.tell("producerSuccess", { requestId, producerName: "n", lastSequenceId: 11 }),
      );
      const publisher = await open(batched);
      for (const id of [10n, 11n, 12n, 13n]) deliveries.send(publisher, message(Number(id)), id);
      send(publisher, 14);
      await publisher.flush(never);
      expect(broker.sends.map((one) => [one.sequenceId, one.messages.length])).toEqual([
        [10, 1],
        [11, 1],
        [12, 3],
      ]);
      await publisher.close();
      const next = await open(batched);
      send(next, 0);
      await next.flush(never);
      expect(broker.sends.at(-1)?.sequenceId).toBe(12);
    });
  });

  it.each([
    [[5n, 5n], "is not above 5"],
    [[5n, 4n], "is not above 5"],
    [[-1n], "is out of range"],
    [[2n ** 53n], "is out of range"],
  ])("refuses the sequence ids %s", async (ids, why) => {
    const publisher = await open(batched);
    for (const id of ids) deliveries.send(publisher, message(0), id);
    await publisher.flush(never);
    expect(deliveries.failed.map((error) => [error.code, error.message])).toEqual([
      ["PIO_INVALID_SEQUENCE_ID", expect.stringContaining(why)],
    ]);
  });

  describe("whose window is full", () => {
    it("waits for room until a message is settled", async () => {
      const publisher = await open({ ...unbatched, maxPendingMessages: 2, maxPendingBytes: 1_000 });
      holdReceipts();
      send(publisher, 0);
      expect(publisher.full).toBe(false);
      send(publisher, 1);
      expect(publisher.full).toBe(true);
      let room = false;
      const waiting = publisher.room(never).then(() => {
        room = true;
      });
      await until(() => broker.sends.length === 2, clock);
      expect(room).toBe(false);
      const [first] = broker.sends;
      if (first !== undefined) broker.last.receipt(first, { ledgerId: 1n, entryId: 1n });
      await waiting;
      expect(publisher.full).toBe(false);
    });

    it("counts bytes, too", async () => {
      const publisher = await open({ ...unbatched, maxPendingBytes: 10 });
      deliveries.send(publisher, { value: Buffer.alloc(10) });
      expect(publisher.full).toBe(true);
      await publisher.room(never);
      expect(deliveries.stored).toHaveLength(1);
    });

    it("stops waiting when the signal aborts, with its reason", async () => {
      const publisher = await open({ ...unbatched, maxPendingMessages: 1 });
      holdReceipts();
      send(publisher, 0);
      const stop = new AbortController();
      const waiting = publisher.room(stop.signal);
      const reason = new Error("enough");
      stop.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      await expect(publisher.flush(stop.signal)).rejects.toBe(reason);
    });
  });

  it("is flushed when the last message before is settled, not sooner", async () => {
    const publisher = await open(unbatched);
    holdReceipts();
    send(publisher, 0, 1);
    let flushed = false;
    const flushing = publisher.flush(never).then(() => {
      flushed = true;
    });
    await until(() => broker.sends.length === 2, clock);
    for (const [index, one] of broker.sends.entries()) {
      expect(flushed).toBe(false);
      broker.last.receipt(one, { ledgerId: 1n, entryId: BigInt(index) });
      await clock.settle();
    }
    await flushing;
  });

  it("serves a topic of many partitions, without a word from Node about listeners", async () => {
    const warnings = vi.spyOn(process, "emitWarning");
    broker.partitions = 30;
    const publisher = await open(batched);
    send(publisher, ...Array.from({ length: 200 }, (_, index) => index));
    await publisher.flush(never);
    expect(new Set(deliveries.stored.map((id) => id.partition)).size).toBeGreaterThan(20);
    expect(new Set(broker.of("producer").map((one) => one.producerName))).toEqual(
      new Set([undefined, "given-by-broker"]),
    );
    broker.last.socket.destroy();
    await until(() => broker.of("producer").length === 60, clock);
    await publisher.close();
    expect(warnings).not.toHaveBeenCalled();
    warnings.mockRestore();
  });

  describe("that is closed", () => {
    it("fails what is not settled, and keeps what the broker still confirms", async () => {
      const publisher = await open(unbatched);
      holdReceipts();
      send(publisher, 0, 1);
      await until(() => broker.sends.length === 2, clock);
      broker.answer("closeProducer", (_, connection) => {
        const [first] = broker.sends;
        if (first !== undefined) connection.receipt(first, { ledgerId: 1n, entryId: 1n });
        return false;
      });
      const closing = publisher.close();
      expect(publisher.close()).toBe(closing);
      await closing;
      expect(deliveries.outcomes.map(codeOf)).toEqual([undefined, "PIO_PUBLISHER_CLOSED"]);
      send(publisher, 2);
      await clock.settle();
      expect(deliveries.outcomes.map(codeOf).at(-1)).toBe("PIO_PUBLISHER_CLOSED");
      await expect(publisher.room(never)).rejects.toMatchObject({ code: "PIO_PUBLISHER_CLOSED" });
    });

    it("leaves no socket and no timer behind, also in the middle of reconnecting", async () => {
      const publisher = await open(batched);
      send(publisher, 0);
      broker.answer("lookup", () => undefined);
      broker.last.socket.destroy();
      await until(() => broker.of("lookup").length === 2, clock);
      await wire.transport.close();
      await until(() => broker.open === 0, clock);
      expect(deliveries.failed.map(codeOf)).toEqual(["PIO_PUBLISHER_CLOSED"]);
      expect(clock.sleepers).toBe(0);
    });

    it("ends an opening that is under way", async () => {
      broker.answer("producer", () => undefined);
      const opening = open(batched).catch((error: unknown) => error);
      await until(() => broker.of("producer").length === 1, clock);
      await wire.transport.close();
      expect(codeOf(await opening)).toBe("PIO_PUBLISHER_CLOSED");
      await expect(open(batched)).rejects.toMatchObject({ code: "PIO_PUBLISHER_CLOSED" });
    });
  });
});
