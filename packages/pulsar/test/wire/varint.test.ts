import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { VarintReader, varintSize } from "../../src/wire/varint.ts";

describe("varints", () => {
  it("come back as they were written, for every signed integer of 64 bits", () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (value) => {
        const writer = new ByteWriter(1);
        writer.long(value);
        const reader = new VarintReader(writer.bytes());
        expect(reader.long()).toBe(value);
        expect(reader.offset).toBe(reader.end);
      }),
    );
  });

  it("come back as numbers, in as many bytes as announced, from 0 to 2^53 - 1", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(300), (large, small) => {
        for (const value of [large, small, 2 ** 31, 2 ** 32, 2 ** 53 - 1]) {
          const writer = new ByteWriter(1);
          writer.varint(value);
          expect(writer.length).toBe(varintSize(value));
          expect(new VarintReader(writer.bytes()).number()).toBe(value);
        }
      }),
    );
  });

  it("reads ten bytes of ones as -1, as Java's longs travel", () => {
    expect(new VarintReader(Buffer.from("ffffffffffffffffff01", "hex")).number()).toBe(-1);
  });

  it.each(["", "80", "ffffffffffffffffffff01"])("refuses the malformed %s", (hex) => {
    expect(() => new VarintReader(Buffer.from(hex, "hex")).long()).toThrow(RangeError);
  });
});
