import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sequenceNumber, sequenceParts } from "../../src/kinesis/sequence-number.ts";

const parts = fc.record({
  shardCreated: fc.integer({ min: 0, max: 2 ** 36 - 1 }),
  index: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  arrived: fc.integer({ min: 0, max: 2 ** 36 - 1 }),
  shardNumber: fc.nat({ max: 2 ** 32 - 1 }),
});

describe("sequenceNumber", () => {
  it("has 56 digits, and tells what it was made of", () => {
    fc.assert(
      fc.property(parts, (given) => {
        const number = sequenceNumber(given);
        expect(String(number)).toHaveLength(56);
        expect(sequenceParts(number)).toEqual(given);
      }),
    );
  });

  it("is ordered by creation of the shard, then by index", () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        fc.pre(a.shardCreated !== b.shardCreated || a.index !== b.index);
        const before =
          a.shardCreated < b.shardCreated || (a.shardCreated === b.shardCreated && a.index < b.index);
        expect(sequenceNumber(a) < sequenceNumber(b)).toBe(before);
      }),
    );
  });

  it("knows none of its own in a foreign number", () => {
    expect(sequenceParts(12n)).toBeUndefined();
    expect(sequenceParts(10n ** 60n)).toBeUndefined();
  });
});
