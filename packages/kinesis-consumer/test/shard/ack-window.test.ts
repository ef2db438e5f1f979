import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AckWindow } from "../../src/shard/ack-window.ts";

describe("AckWindow", () => {
  it("is safe up to the last record before the first that is not acknowledged, in whatever order they are", () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 300 }),
        fc.infiniteStream(fc.nat()),
        (endsRecord, random) => {
          const window = new AckWindow();
          const ordinals: number[] = [];
          const acknowledged = new Set<number>();
          for (const [index, ends] of endsRecord.entries()) {
            ordinals.push(window.deliver(String(1_000 + index), index % 3, ends));
            // Some of those in flight, in any order, some of them twice.
            for (const pick of [random.next().value ?? 0, random.next().value ?? 0]) {
              const ordinal = ordinals[pick % ordinals.length] ?? 0;
              window.ack(ordinal);
              acknowledged.add(ordinal);
            }
            expect(window.safe).toEqual(expectedSafe(endsRecord, acknowledged));
          }
          const prefix = endsRecord.findIndex((_ends, index) => !acknowledged.has(index));
          expect(window.size).toBe(prefix < 0 ? 0 : endsRecord.length - prefix);
        },
      ),
    );
  });

  it("forgets everything when it is closed", () => {
    const window = new AckWindow();
    const first = window.deliver("1", 0, true);
    const second = window.deliver("2", 0, true);
    window.ack(first);
    window.close();
    window.ack(second);
    expect(window.safe).toBeUndefined();
    expect(window.isPast({ sequenceNumber: "0", subSequenceNumber: 0 })).toBe(false);
  });

  it("wakes who waits for room or for the end", async () => {
    const window = new AckWindow();
    const ordinal = window.deliver("1", 0, true);
    const advanced = window.advanced(new AbortController().signal);
    window.ack(ordinal);
    await advanced;
    expect(window.size).toBe(0);
  });
});

function expectedSafe(endsRecord: readonly boolean[], acknowledged: ReadonlySet<number>) {
  let safe: number | undefined;
  for (const [index, ends] of endsRecord.entries()) {
    if (!acknowledged.has(index)) break;
    if (ends) safe = index;
  }
  return safe === undefined
    ? undefined
    : { kind: "after", sequenceNumber: BigInt(1_000 + safe), subSequenceNumber: safe % 3 };
}
