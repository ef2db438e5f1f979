import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Checkpoint,
  compareCheckpoints,
  formatCheckpoint,
  parseCheckpoint,
  subSequenceOf,
} from "../src/checkpoint.ts";

const checkpoint: fc.Arbitrary<Checkpoint> = fc.oneof(
  fc.constantFrom<Checkpoint>(
    { kind: "latest" },
    { kind: "trim-horizon" },
    { kind: "at-timestamp" },
    { kind: "shard-end" },
  ),
  fc.record({
    kind: fc.constant("after" as const),
    sequenceNumber: fc.bigInt({ min: 0n, max: 10n ** 56n }),
    subSequenceNumber: fc.nat(),
  }),
);

describe("a checkpoint", () => {
  it("comes back from the row as it was written", () => {
    fc.assert(
      fc.property(checkpoint, (one) => {
        expect(parseCheckpoint(formatCheckpoint(one), subSequenceOf(one))).toEqual(one);
      }),
    );
  });

  it("is ordered as KCL orders them: the sentinels, the numbers by value and not as text, the end", () => {
    const ordered: readonly Checkpoint[] = [
      { kind: "at-timestamp" },
      { kind: "trim-horizon" },
      { kind: "latest" },
      { kind: "after", sequenceNumber: 9n, subSequenceNumber: 0 },
      { kind: "after", sequenceNumber: 10n, subSequenceNumber: 0 },
      { kind: "after", sequenceNumber: 10n, subSequenceNumber: 1 },
      { kind: "shard-end" },
    ];
    for (const [i, a] of ordered.entries()) {
      for (const [j, b] of ordered.entries())
        expect(Math.sign(compareCheckpoints(a, b))).toBe(Math.sign(i - j));
    }
  });

  it.each(["", "12a", "latest", "-1", "1.5", "toString"])('is refused when a row says "%s"', (text) => {
    expect(() => parseCheckpoint(text, 0)).toThrow(expect.objectContaining({ code: "PIO_LEASE_ROW" }));
  });
});
