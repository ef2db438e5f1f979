import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BufferPool } from "../../src/wire/buffer-pool.ts";

const mostFreeBytes = 262_144;

describe("a pool of buffers", () => {
  it("lends the buffer that was given back to the next batch of about that size", () => {
    const pool = new BufferPool(mostFreeBytes);
    const first = pool.take(131_500);
    pool.give(first);
    expect(pool.take(132_000)).toBe(first);
    expect(pool.take(132_000)).not.toBe(first);
  });

  it("leaves to the garbage collector what is more than it may keep", () => {
    const pool = new BufferPool(mostFreeBytes);
    const [first, second] = [pool.take(196_608), pool.take(196_608)];
    pool.give(first);
    pool.give(second);
    expect(pool.take(196_608)).toBe(first);
    expect(pool.take(196_608)).not.toBe(second);
  });

  it("has room for what is asked, lends nothing to two at once, and keeps small ones out", () => {
    const capacities = fc.array(fc.tuple(fc.integer({ min: 1, max: 300_000 }), fc.boolean()), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(capacities, (takes) => {
        const pool = new BufferPool(mostFreeBytes);
        const lent = new Set<Buffer>();
        for (const [capacity, givesBack] of takes) {
          const buffer = pool.take(capacity);
          expect(buffer.length).toBeGreaterThanOrEqual(capacity);
          expect(buffer.length).toBeLessThanOrEqual(Math.max(2 * capacity, 4_096));
          expect(lent.has(buffer)).toBe(false);
          lent.add(buffer);
          if (!givesBack) continue;
          pool.give(buffer);
          lent.delete(buffer);
        }
      }),
    );
  });
});
