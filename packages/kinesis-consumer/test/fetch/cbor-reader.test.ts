import { encode } from "cborg";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CborError, CborReader } from "../../src/fetch/cbor-reader.ts";

const scalar = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const { item } = fc.letrec((tie) => ({
  item: fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.array(tie("item"), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 30 }), tie("item"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

const read = (bytes: Uint8Array): unknown => {
  const reader = new CborReader(Buffer.from(bytes));
  const value = reader.value();
  expect(reader.atEnd).toBe(true);
  return value;
};

describe("CborReader", { timeout: 60_000 }, () => {
  it("reads what another encoder writes", () => {
    fc.assert(
      fc.property(item, (value) => {
        expect(read(encode(value))).toEqual(value);
      }),
    );
  });

  it("skips exactly one item", () => {
    fc.assert(
      fc.property(item, item, (first, second) => {
        const reader = new CborReader(Buffer.concat([encode(first), encode(second)]));
        reader.skip();
        expect(reader.value()).toEqual(second);
        expect(reader.atEnd).toBe(true);
      }),
    );
  });

  it.each([
    ["f90000", 0],
    ["f98000", -0],
    ["f93c00", 1],
    ["f90001", 2 ** -24],
    ["f97bff", 65_504],
    ["f9c400", -4],
    ["f97c00", Number.POSITIVE_INFINITY],
    ["f97e00", Number.NaN],
    ["fa47c35000", 100_000],
    ["fb3ff199999999999a", 1.1],
    ["1bffffffffffff", undefined],
    ["1b001fffffffffffff", Number.MAX_SAFE_INTEGER],
    ["3903e7", -1_000],
    ["c11a514b67b0", 1_363_896_240],
    ["c1c1fb41d452d9ec200000", 1_363_896_240.5],
  ])("reads the number %s of RFC 8949", (hex, number) => {
    const reader = new CborReader(Buffer.from(hex, "hex"));
    if (number === undefined) expect(() => reader.number()).toThrow(CborError);
    else expect(reader.number()).toBe(number);
  });

  it.each([
    ["5f42010243030405ff", Buffer.of(1, 2, 3, 4, 5)],
    ["7f657374726561646d696e67ff", "streaming"],
    ["9f018202039f0405ffff", [1, [2, 3], [4, 5]]],
    ["bf61610161629f0203ffff", { a: 1, b: [2, 3] }],
    ["5fff", Buffer.alloc(0)],
  ])("reads %s, whose length is not said", (hex, value) => {
    expect(read(Buffer.from(hex, "hex"))).toEqual(value);
    const reader = new CborReader(Buffer.from(`${hex}01`, "hex"));
    reader.skip();
    expect(reader.number()).toBe(1);
  });

  it("copies no bytes", () => {
    const body = Buffer.from(encode({ Data: new Uint8Array(1_000) }));
    const data = new CborReader(body).value();
    expect(data).toMatchObject({ Data: { buffer: body.buffer } });
  });

  it.each([
    ["nothing", ""],
    ["a text that is cut off", "63 61"],
    ["bytes longer than all memory", "5b 001fffffffffffff"],
    ["a number larger than 2 ** 53 - 1", "1b 0020000000000000"],
    ["a head that is reserved", "1c"],
    ["a piece of text in bytes", "5f 6161 ff"],
    ["a piece without a length", "5f 5f 4101 ff ff"],
    ["an array that never ends", "9f 01"],
    ["a break where an item is due", "ff"],
    ["arrays within arrays without end", "81".repeat(100_000)],
    ["tags without end", "c1".repeat(100_000)],
  ])("refuses %s", (_, hex) => {
    const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
    expect(() => new CborReader(bytes).value()).toThrow(CborError);
    expect(() => new CborReader(bytes).skip()).toThrow(CborError);
  });

  it("reads any bytes or refuses them, and never fails in another way", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const method of ["value", "skip", "number", "text", "bytes"] as const) {
          try {
            new CborReader(Buffer.from(bytes))[method]();
          } catch (error) {
            expect(error).toBeInstanceOf(CborError);
          }
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
