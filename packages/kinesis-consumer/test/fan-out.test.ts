import { describe, expect, it, vi } from "vitest";
import type { ConsumerOptions } from "../src/consumer-options.ts";
import { PositionRefusedError, SubscriptionInUseError } from "../src/errors.ts";
import { MemoryFanOut } from "./support/memory-fan-out.ts";
import { distinct, idOf, Rig, textsOf } from "./support/rig.ts";

// Many minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 60_000 });

const retrieval = { kind: "fan-out", consumerName: "orders-app" } as const;

class FanOutRig extends Rig {
  override readonly fanOut: MemoryFanOut = new MemoryFanOut(this.stream, this.clock);

  open(options: Partial<ConsumerOptions> = {}, settle?: () => boolean) {
    return this.start({ retrieval, ...options }, settle);
  }

  get positions(): readonly string[] {
    return this.fanOut.asked.map(({ position }) => position.kind);
  }
}

describe("enhanced fan-out", () => {
  it("registers the consumer once, and uses it again at the next start", async () => {
    const rig = new FanOutRig();
    for (let start = 0; start < 3; start += 1) {
      const worker = await rig.open();
      const texts = rig.put(5);
      await rig.until(() => worker.records.length === 5);
      expect(textsOf(worker.records)).toEqual(texts);
      await rig.close(worker);
    }
    expect(rig.fanOut.registrations).toBe(1);
  });

  it("reads each record once and in order through subscriptions that last five minutes", async () => {
    const rig = new FanOutRig();
    const worker = await rig.open();
    for (let minute = 0; minute < 22; minute += 1) {
      rig.put(150);
      await rig.pass(60_000);
    }
    await rig.until(() => worker.records.length >= 22 * 150);
    expect(textsOf(worker.records)).toEqual(Array.from({ length: 22 * 150 }, (_, index) => String(index)));
    expect(rig.positions).toEqual([
      "trim-horizon",
      ...Array(rig.positions.length - 1).fill("after-sequence"),
    ]);
    expect(rig.fanOut.asked.length).toBeLessThanOrEqual(6);
    await rig.close(worker);
  });

  it("opens at the checkpoint again until an event was taken in, and drops what the checkpoint covers", async () => {
    const rig = new FanOutRig();
    const first = await rig.open();
    rig.put(5);
    await rig.until(() => first.records.length === 5);
    await rig.close(first);
    const before = rig.positions.length;
    rig.fanOut.refusals.push(...Array.from({ length: 3 }, () => new SubscriptionInUseError("in use")));
    const second = await rig.open();
    const more = rig.put(3);
    await rig.until(() => second.records.length === 3);
    expect(textsOf(second.records)).toEqual(more);
    expect(rig.positions.slice(before)).toEqual(Array(rig.positions.length - before).fill("at-sequence"));
    rig.fanOut.cut(idOf(0), "reset");
    await rig.until(() => rig.positions.at(-1) === "after-sequence");
    await rig.close(second);
  });

  it("goes on after an event that was empty, and never takes its number for a position of a record", async () => {
    const rig = new FanOutRig();
    const worker = await rig.open();
    await rig.pass(12_000);
    rig.fanOut.cut(idOf(0), "ended");
    await rig.until(() => rig.fanOut.asked.length === 2);
    expect(rig.positions).toEqual(["trim-horizon", "after-sequence"]);
    const texts = rig.put(2);
    await rig.until(() => worker.records.length === 2);
    expect(textsOf(worker.records)).toEqual(texts);
    await rig.pass(4_000);
    const checkpoint = rig.lease()?.checkpoint;
    expect(checkpoint).toMatchObject({ sequenceNumber: rig.placed[1]?.sequenceNumber });
    await rig.close(worker);
  });

  it("opens a lease at LATEST where it began, also after a subscription that brought nothing", async () => {
    const rig = new FanOutRig();
    rig.put(3);
    await rig.pass(20_000);
    const worker = await rig.open({ initialPosition: { kind: "latest" } });
    await rig.until(() => rig.fanOut.asked.length === 1);
    rig.fanOut.cut(idOf(0), "reset");
    const texts = rig.put(2);
    await rig.until(() => worker.records.length === 2);
    expect(textsOf(worker.records)).toEqual(texts);
    expect(new Set(rig.positions)).toEqual(new Set(["at-timestamp"]));
    await rig.close(worker);
  });

  it.each(["ended", "reset"] as const)("takes no connection that %s for the end of a shard", async (how) => {
    const rig = new FanOutRig();
    const worker = await rig.open();
    const texts: string[] = [];
    for (let round = 0; round < 10; round += 1) {
      texts.push(...rig.put(7));
      await rig.until(() => worker.records.length > texts.length - 7);
      rig.fanOut.cut(idOf(0), how);
      await rig.pass(8_000);
    }
    await rig.until(() => worker.records.length === texts.length);
    expect(textsOf(worker.records)).toEqual(texts);
    expect(rig.lease()?.checkpoint.kind).toBe("after");
    await rig.close(worker);
  });

  it("subscribes once a second at most, whatever happens", async () => {
    const rig = new FanOutRig();
    const worker = await rig.open();
    for (let round = 0; round < 40; round += 1) {
      rig.put(1);
      rig.fanOut.cut(idOf(0), round % 2 === 0 ? "ended" : "reset");
      await rig.pass(700);
    }
    const times = rig.fanOut.asked.map(({ atMs }) => atMs);
    const pauses = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
    expect(pauses.length).toBeGreaterThan(3);
    // The clock adds up fractions of milliseconds: compared to the microsecond.
    expect(Math.round(Math.min(...pauses) * 1_000)).toBeGreaterThanOrEqual(1_000_000);
    await rig.until(() => worker.records.length === 40);
    await rig.close(worker);
  });

  it("ends a silent connection after 35 s, and goes on where it was", async () => {
    const rig = new FanOutRig();
    const worker = await rig.open();
    rig.put(3);
    await rig.until(() => worker.records.length === 3);
    rig.fanOut.cut(idOf(0), "silent");
    const texts = rig.put(3);
    const tookMs = await rig.until(() => worker.records.length === 6);
    expect(tookMs).toBeGreaterThan(30_000);
    expect(tookMs).toBeLessThan(37_500);
    expect(textsOf(worker.records).slice(3)).toEqual(texts);
    await rig.close(worker);
  });

  it("renews its lease before it tries a shard again that is in use, and then waits out the five seconds", async () => {
    const rig = new FanOutRig();
    const worker = await rig.open();
    await rig.until(() => rig.fanOut.asked.length === 1);
    const counter = rig.lease()?.counter ?? 0;
    rig.fanOut.cut(idOf(0), "reset");
    await rig.until(
      () => (rig.fanOut.asked.at(1)?.atMs ?? Number.POSITIVE_INFINITY) < Number.POSITIVE_INFINITY,
    );
    await rig.pass(200);
    // In use still, by the subscription that broke: renewed at once.
    expect(rig.lease()?.counter).toBeGreaterThan(counter);
    rig.put(1);
    await rig.until(() => worker.records.length === 1);
    const [first, second, third] = rig.fanOut.asked.map(({ atMs }) => atMs);
    expect((second ?? 0) - (first ?? 0)).toBeLessThan(5_000);
    expect((third ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(5_000);
    expect(rig.fanOut.asked).toHaveLength(3);
    await rig.close(worker);
  });

  it("knows at once that its lease was taken when a later owner takes the subscription", async () => {
    const rig = new FanOutRig();
    const worker = await rig.open();
    await rig.pass(10_000);
    const row = rig.lease();
    if (row === undefined) throw new Error("no lease");
    rig.table.rows.set(idOf(0), { ...row, owner: "java-1", counter: row.counter + 1 });
    rig.fanOut.cut(idOf(0), "ended");
    const tookMs = await rig.until(() => worker.released.length > 0);
    expect(tookMs).toBeLessThanOrEqual(500);
    const subscriptions = rig.fanOut.asked.length;
    await rig.pass(5_000);
    expect(rig.fanOut.asked).toHaveLength(subscriptions);
    await rig.close(worker);
  });

  it("reads a split shard to its end and then its children", async () => {
    const rig = new FanOutRig();
    const worker = await rig.open();
    rig.put(250);
    rig.stream.split(idOf(0), 1n << 127n, rig.clock.now());
    rig.put(50);
    await rig.until(() => worker.records.length === 300);
    const texts = textsOf(worker.records);
    expect(texts.slice(0, 250)).toEqual(Array.from({ length: 250 }, (_, index) => String(index)));
    expect(distinct(texts)).toHaveLength(300);
    expect(rig.lease(0)?.checkpoint.kind).toBe("shard-end");
    await rig.close(worker);
  });

  it("does not believe in an end that names no children, and repeats nothing for it", async () => {
    const rig = new FanOutRig();
    const texts = rig.put(30);
    rig.stream.split(idOf(0), 1n << 127n, rig.clock.now());
    rig.fanOut.endsWithoutChildren = 3;
    const worker = await rig.open();
    await rig.until(() => rig.lease(0)?.checkpoint.kind === "shard-end");
    expect(textsOf(worker.records)).toEqual(texts);
    expect(rig.fanOut.endsWithoutChildren).toBe(0);
    expect([1, 2].map((index) => rig.lease(index)?.parentShardIds)).toEqual([[idOf(0)], [idOf(0)]]);
    await rig.close(worker);
  });

  it("holds the service back while records wait, one event for each shard, and loses nothing", async () => {
    const rig = new FanOutRig(2);
    rig.fanOut.eventRecords = 50;
    const texts = rig.put(2_000);
    const worker = rig.worker({ retrieval, maxBufferedRecords: 100 });
    const opening = worker.consumer.open(worker.stop.signal);
    await rig.pass(5_000);
    await opening;
    await rig.pass(60_000);
    // What fits in, and one event of each shard that waits for room.
    expect(rig.fanOut.pulled).toBeLessThanOrEqual(4);
    expect(rig.fanOut.asked).toHaveLength(2);
    const read: string[] = [];
    while (read.length < texts.length) {
      const record = worker.consumer.poll();
      if (record === undefined) await rig.pass(50);
      else {
        read.push(Buffer.from(record.data).toString());
        record.ack();
      }
    }
    expect(distinct(read)).toEqual(texts);
    expect(rig.fanOut.asked).toHaveLength(2);
    await rig.close(worker);
  });

  it("registers a consumer again that was deleted, and ends no shard for it", async () => {
    const rig = new FanOutRig(4);
    const worker = await rig.open();
    rig.put(20);
    await rig.until(() => worker.records.length === 20);
    rig.fanOut.deregister();
    rig.put(20);
    await rig.until(() => worker.records.length === 40);
    expect(distinct(textsOf(worker.records))).toHaveLength(40);
    expect(rig.fanOut.registrations).toBe(2);
    for (let index = 0; index < 4; index += 1)
      expect(rig.lease(index)?.checkpoint.kind).not.toBe("shard-end");
    await rig.close(worker);
  });

  it("takes a shard for gone that the service forgot, while the consumer is there", async () => {
    const rig = new FanOutRig();
    rig.put(5);
    rig.stream.split(idOf(0), 1n << 127n, rig.clock.now());
    const worker = await rig.open({}, () => false);
    await rig.until(() => worker.records.length === 5);
    await rig.close(worker);
    rig.stream.expire(idOf(0));
    rig.put(10);
    const next = await rig.open();
    await rig.until(() => next.records.length === 10);
    expect(distinct(textsOf(next.records))).toHaveLength(10);
    expect(rig.fanOut.registrations).toBe(1);
    await rig.close(next);
  });

  it("goes back to the last record when a continuation is refused, and fails when that is refused too", async () => {
    const rig = new FanOutRig();
    const worker = await rig.open();
    rig.put(2);
    await rig.until(() => worker.records.length === 2);
    await rig.pass(6_000);
    rig.fanOut.refusals.push(new PositionRefusedError("not from this stream"));
    rig.fanOut.cut(idOf(0), "ended");
    const texts = rig.put(2);
    await rig.until(() => worker.records.length === 4);
    expect(textsOf(worker.records).slice(2)).toEqual(texts);
    await rig.pass(6_000);
    rig.fanOut.refusals.push(new PositionRefusedError("no"), new PositionRefusedError("no"));
    rig.fanOut.cut(idOf(0), "ended");
    await rig.until(() => worker.failure !== undefined);
    expect(worker.failure).toMatchObject({ cause: { code: "PIO_POSITION_REFUSED" } });
    await rig.close(worker);
  });
});
