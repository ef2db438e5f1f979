import { codeOf } from "@pulsar-ts-io/core";
import type { TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FakeBroker } from "../harness/fake-broker.ts";
import type { Deliveries } from "../harness/recorded-delivery.ts";
import { until } from "../harness/until.ts";
import { never } from "../harness/wire.ts";
import { batched, numberedMessage, unbatched, WireRig } from "../harness/wire-rig.ts";

describe("a publisher over the wire", () => {
  let rig: WireRig;
  let broker: FakeBroker;
  let clock: TestClock;
  let deliveries: Deliveries;

  beforeEach(() => {
    rig = new WireRig();
    ({ broker, clock, deliveries } = rig);
  });

  afterEach(() => rig.end());

  it.each([
    [[5n, 5n], "is not above 5"],
    [[5n, 4n], "is not above 5"],
    [[-1n], "is out of range"],
    [[2n ** 53n], "is out of range"],
  ])("refuses the sequence ids %s", async (ids, why) => {
    const publisher = await rig.open(batched);
    for (const id of ids) deliveries.send(publisher, numberedMessage(0), id);
    await publisher.flush(never);
    expect(deliveries.failed.map((error) => [error.code, error.message])).toEqual([
      ["PIO_INVALID_SEQUENCE_ID", expect.stringContaining(why)],
    ]);
  });

  describe("whose window is full", () => {
    it("waits for room until a message is settled", async () => {
      const publisher = await rig.open({ ...unbatched, maxPendingMessages: 2, maxPendingBytes: 1_000 });
      rig.holdReceipts();
      rig.send(publisher, 0);
      expect(publisher.full).toBe(false);
      rig.send(publisher, 1);
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
      const publisher = await rig.open({ ...unbatched, maxPendingBytes: 10 });
      deliveries.send(publisher, { value: Buffer.alloc(10) });
      expect(publisher.full).toBe(true);
      await publisher.room(never);
      expect(deliveries.stored).toHaveLength(1);
    });

    it("stops waiting when the signal aborts, with its reason", async () => {
      const publisher = await rig.open({ ...unbatched, maxPendingMessages: 1 });
      rig.holdReceipts();
      rig.send(publisher, 0);
      const stop = new AbortController();
      const waiting = publisher.room(stop.signal);
      const reason = new Error("enough");
      stop.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      await expect(publisher.flush(stop.signal)).rejects.toBe(reason);
    });
  });

  it("is flushed when the last message before is settled, not sooner", async () => {
    const publisher = await rig.open(unbatched);
    rig.holdReceipts();
    rig.send(publisher, 0, 1);
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
    const publisher = await rig.open(batched);
    rig.send(publisher, ...Array.from({ length: 200 }, (_, index) => index));
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
      const publisher = await rig.open(unbatched);
      rig.holdReceipts();
      rig.send(publisher, 0, 1);
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
      rig.send(publisher, 2);
      await clock.settle();
      expect(deliveries.outcomes.map(codeOf).at(-1)).toBe("PIO_PUBLISHER_CLOSED");
      await expect(publisher.room(never)).rejects.toMatchObject({ code: "PIO_PUBLISHER_CLOSED" });
    });

    it("leaves no socket and no timer behind, also in the middle of reconnecting", async () => {
      const publisher = await rig.open(batched);
      rig.send(publisher, 0);
      broker.answer("lookup", () => undefined);
      broker.last.socket.destroy();
      await until(() => broker.of("lookup").length === 2, clock);
      await rig.wire.transport.close();
      await until(() => broker.open === 0, clock);
      expect(deliveries.failed.map(codeOf)).toEqual(["PIO_PUBLISHER_CLOSED"]);
      expect(clock.sleepers).toBe(0);
    });

    it("ends an opening that is under way", async () => {
      broker.answer("producer", () => undefined);
      const opening = rig.open(batched).catch((error: unknown) => error);
      await until(() => broker.of("producer").length === 1, clock);
      await rig.wire.transport.close();
      expect(codeOf(await opening)).toBe("PIO_PUBLISHER_CLOSED");
      await expect(rig.open(batched)).rejects.toMatchObject({ code: "PIO_PUBLISHER_CLOSED" });
    });
  });
});
