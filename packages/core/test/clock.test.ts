import { Backoff, systemClock } from "@pulsar-ts-io/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

describe("systemClock", () => {
  it("ends a sleep at once with the signal's own reason", async () => {
    const stop = new AbortController();
    const reason = new Error("enough");
    const sleep = systemClock.sleep(2 ** 30, stop.signal);
    stop.abort(reason);
    await expect(sleep).rejects.toBe(reason);
    await expect(systemClock.sleep(0, stop.signal)).rejects.toBe(reason);
  });
});

describe("Backoff", () => {
  it("stays within the upper half of a delay that doubles up to its limit", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 0, max: 100_000 }),
        (initialMs, extra) => {
          const maxMs = initialMs + extra;
          const backoff = new Backoff({ initialMs, maxMs });
          for (let attempt = 0; attempt < 40; attempt++) {
            const ceiling = Math.min(maxMs, initialMs * 2 ** attempt);
            const delay = backoff.next();
            expect(delay).toBeGreaterThanOrEqual(ceiling / 2);
            expect(delay).toBeLessThanOrEqual(ceiling);
          }
        },
      ),
    ));

  it("starts over after a success", () => {
    const backoff = new Backoff({ initialMs: 100, maxMs: 60_000, random: () => 0 });
    expect([backoff.next(), backoff.next()]).toEqual([50, 100]);
    expect(backoff.attempts).toBe(2);
    backoff.reset();
    expect(backoff.next()).toBe(50);
  });

  it.each([
    [0, 10],
    [10, 5],
    [Number.NaN, 10],
  ])("refuses %d ms to %d ms", (initialMs, maxMs) => {
    expect(() => new Backoff({ initialMs, maxMs })).toThrow(RangeError);
  });
});
