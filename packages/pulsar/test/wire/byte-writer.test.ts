import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { readPrefixed } from "../../src/wire/field-table.ts";
import { VarintReader } from "../../src/wire/varint.ts";
import { anyText } from "../harness/any-text.ts";

describe("ByteWriter", () => {
  it("puts the right length before what was written after it, wherever it has to grow", () => {
    const sizes = fc.constantFrom(0, 1, 8, 9, 10, 126, 127, 128, 129, 16_383, 16_384);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), sizes, (capacity, size) => {
        const content = Buffer.alloc(size, "abcdefg");
        const writer = new ByteWriter(capacity);
        writer.byte(7);
        const start = writer.startLength();
        writer.raw(content);
        writer.endLength(start);
        writer.byte(9);
        const reader = new VarintReader(writer.bytes());
        expect(reader.number()).toBe(7);
        expect(Buffer.compare(readPrefixed(reader), content)).toBe(0);
        expect(reader.number()).toBe(9);
        expect(reader.offset).toBe(reader.end);
      }),
    );
  });

  it("writes any text as its UTF-8 with its length", () => {
    fc.assert(
      fc.property(anyText(60), fc.integer({ min: 1, max: 60 }), (text, capacity) => {
        const writer = new ByteWriter(capacity);
        writer.text(text);
        expect(Buffer.from(readPrefixed(new VarintReader(writer.bytes()))).toString()).toBe(
          Buffer.from(text).toString(),
        );
      }),
    );
  });
});
