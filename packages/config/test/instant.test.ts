import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseInstant } from "../src/index.ts";

const anyInstant = fc.integer({ min: 0, max: 253_402_300_799_999 });

describe("parseInstant", () => {
  it("reads back every instant, as ISO text, as epoch milliseconds and as their digits", () => {
    fc.assert(
      fc.property(anyInstant, (epochMs) => {
        expect(parseInstant(new Date(epochMs).toISOString())).toBe(epochMs);
        expect(parseInstant(epochMs)).toBe(epochMs);
        if (epochMs > 9_999) expect(parseInstant(`${epochMs}`)).toBe(epochMs);
      }),
    );
  });

  it("takes off the offset, in each way to write it", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 86_400_000, max: 4_102_444_800_000 }),
        fc.integer({ min: -14 * 60, max: 14 * 60 }),
        fc.constantFrom(":", ""),
        (epochMs, offsetMinutes, separator) => {
          const local = new Date(epochMs + offsetMinutes * 60_000).toISOString().slice(0, -1);
          const hours = `${Math.floor(Math.abs(offsetMinutes) / 60)}`.padStart(2, "0");
          const minutes = `${Math.abs(offsetMinutes) % 60}`.padStart(2, "0");
          const offset = `${offsetMinutes < 0 ? "-" : "+"}${hours}${separator}${minutes}`;
          expect(parseInstant(`${local}${offset}`)).toBe(epochMs);
        },
      ),
    );
  });

  it.each([
    ["2019-03-05", "2019-03-05T00:00:00.000Z"],
    ["2019-03-05T19:28", "2019-03-05T19:28:00.000Z"],
    ["2019-03-05T19:28:58", "2019-03-05T19:28:58.000Z"],
    ["2019-03-05 19:28:58", "2019-03-05T19:28:58.000Z"],
    ["2019-03-05T19:28:58.1Z", "2019-03-05T19:28:58.100Z"],
    ["2019-03-05T19:28:58.123456789Z", "2019-03-05T19:28:58.123Z"],
    ["2019-03-05T19:28:58+02", "2019-03-05T17:28:58.000Z"],
    [" 2019-03-05T19:28:58.000Z ", "2019-03-05T19:28:58.000Z"],
  ])("reads %s, in UTC without an offset, whatever the time zone of the machine", (text, iso) => {
    expect(parseInstant(text)).toBe(Date.parse(iso));
  });

  it.each([
    ["yesterday"],
    ["2019"],
    ["2019-02-30"],
    ["2019-13-01"],
    ["2019-01-01T24:00:00Z"],
    ["2019-01-01T00:60:00Z"],
    ["05.03.2019"],
    ["99999999999999999999"],
    ["1969-12-31T23:59:59Z"],
    [-1],
    [1.5],
    [Number.NaN],
    [true],
    [null],
    [{}],
  ])("refuses %j", (value) => {
    expect(parseInstant(value)).toBeUndefined();
  });
});
