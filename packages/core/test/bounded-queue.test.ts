import { BoundedQueue } from "@pulsar-ts-io/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

const never = new AbortController().signal;

describe("BoundedQueue", () => {
  it("gives items in the order they were put, whoever waits for whom", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.boolean(), { maxLength: 4_000 }),
        async (capacity, steps) => {
          const queue = new BoundedQueue<number>(capacity);
          const taken: number[] = [];
          const pending: Promise<unknown>[] = [];
          let puts = 0;
          let takes = 0;
          for (const put of steps) {
            if (put) pending.push(queue.put(puts++, never));
            else {
              takes += 1;
              pending.push(queue.take(never).then((item) => taken.push(item)));
            }
            if (pending.length % 7 === 0) await Promise.resolve();
            expect(queue.size).toBeLessThanOrEqual(capacity);
          }
          for (; takes < puts; takes++) pending.push(queue.take(never).then((item) => taken.push(item)));
          for (; puts < takes; puts++) pending.push(queue.put(puts, never));
          await Promise.all(pending);
          expect(taken).toEqual(Array.from({ length: puts }, (_, index) => index));
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
