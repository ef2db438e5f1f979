import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { BoundedQueue } from "@pulsar-ts-io/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

const never = new AbortController().signal;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void; // what the flag puts there

describe("BoundedQueue", () => {
  it("keeps no item that was taken, although others wait", async () => {
    const queue = new BoundedQueue<object>(1_000);
    const items: WeakRef<object>[] = [];
    for (let count = 0; count < 100; count += 1) {
      const item = { count };
      items.push(new WeakRef(item));
      await queue.put(item, never);
    }
    for (let count = 0; count < 99; count += 1) await queue.take(never);
    const alive = () => items.filter((item) => item.deref() !== undefined).length;
    // What the last turn used is alive until the next one.
    for (let round = 0; round < 100 && alive() > 1; round += 1) {
      await new Promise(setImmediate);
      collect();
    }
    expect(alive()).toBe(1);
    expect(queue.size).toBe(1);
  });

  it("serves items and callers in order, whoever waits for whom", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.boolean(), { maxLength: 200 }),
        async (capacity, steps) => {
          const queue = new BoundedQueue<number>(capacity);
          const puts: Promise<void>[] = [];
          const takes: Promise<number>[] = [];
          const put = () => puts.push(queue.put(puts.length, never));
          const take = () => takes.push(queue.take(never));
          for (const step of steps) {
            if (step) put();
            else take();
            if (puts.length % 3 === 0) await Promise.resolve();
            expect(queue.size).toBeLessThanOrEqual(capacity);
          }
          while (takes.length < puts.length) take();
          while (puts.length < takes.length) put();
          await Promise.all(puts);
          expect(await Promise.all(takes)).toEqual(takes.map((_, index) => index));
        },
      ),
    );
  });

  it("makes put wait while it is full", async () => {
    const queue = new BoundedQueue<string>(1);
    await queue.put("a", never);
    let second = false;
    const waiting = queue.put("b", never).then(() => {
      second = true;
    });
    await new Promise(setImmediate);
    expect(second).toBe(false);
    expect(await queue.take(never)).toBe("a");
    await waiting;
    expect(await queue.take(never)).toBe("b");
  });

  it("rejects a waiting take with the signal's reason, and loses no item to it", async () => {
    const queue = new BoundedQueue<string>(1);
    const stop = new AbortController();
    const reason = new Error("stop reading");
    const cancelled = queue.take(stop.signal);
    const patient = queue.take(never);
    stop.abort(reason);
    await expect(cancelled).rejects.toBe(reason);
    await queue.put("a", never);
    expect(await patient).toBe("a");
  });

  it("rejects at once when the signal is aborted already", async () => {
    const queue = new BoundedQueue<string>(1);
    const reason = new Error("too late");
    await expect(queue.take(AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(queue.put("a", AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(queue.size).toBe(0);
  });

  it.each([0, -1, 1.5, Number.NaN])("refuses a capacity of %d", (capacity) => {
    expect(() => new BoundedQueue(capacity)).toThrow(RangeError);
  });
});
