import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LogSlice, RecordLog } from "../../src/kinesis/record-log.ts";

/** The records of a slice, which is JSON but for its first comma. */
function records(slice: LogSlice): unknown[] {
  const [first, ...rest] = slice.chunks;
  if (first === undefined) return [];
  return JSON.parse(`[${Buffer.concat([first.subarray(1), ...rest])}]`) as unknown[]; // an array by its brackets
}

const entries = fc.array(fc.record({ size: fc.nat({ max: 3_000 }), gapMs: fc.nat({ max: 3 }) }), {
  maxLength: 60,
});

describe("RecordLog", () => {
  it("gives back any run of what was appended and not trimmed, within count and bytes", () => {
    fc.assert(
      fc.property(
        entries,
        fc.nat(70),
        fc.nat(70),
        fc.integer({ min: 1, max: 70 }),
        fc.nat(9_000),
        (all, trim, look, maxCount, maxBytes) => {
          const log = new RecordLog();
          let now = 1_000;
          for (const [place, { size, gapMs }] of all.entries()) {
            now += gapMs;
            log.append(JSON.stringify({ place, text: "é".repeat(size) }), now, size);
          }
          const start = trim % (all.length + 1);
          log.trim(start);
          expect([log.start, log.end]).toEqual([start, all.length]);
          const from = look % (all.length + 2);
          const slice = log.read(from, { maxCount, maxBytes });
          const expected: number[] = [];
          let bytes = 0;
          for (let place = Math.max(from, start); place < all.length && expected.length < maxCount; place++) {
            const { size = 0 } = all[place] ?? {};
            if (expected.length > 0 && bytes + size > maxBytes) break;
            bytes += size;
            expected.push(place);
          }
          expect(records(slice).map((record) => (record as { place: number }).place)).toEqual(expected); // as appended
          expect([slice.count, slice.bytes]).toEqual([expected.length, bytes]);
        },
      ),
    );
  });

  it("finds the first record since a time", () => {
    fc.assert(
      fc.property(entries, fc.nat(200), (all, at) => {
        const log = new RecordLog();
        let now = 0;
        const arrivals = all.map(({ gapMs }) => {
          now += gapMs;
          log.append("{}", now, 0);
          return now;
        });
        const found = arrivals.findIndex((arrived) => arrived >= at);
        expect(log.firstSince(at)).toBe(found < 0 ? all.length : found);
      }),
    );
  });
});
