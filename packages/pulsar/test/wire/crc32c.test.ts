import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32c, portableCrc32c } from "../../src/wire/crc32c.ts";

describe.each([
  ["the portable", portableCrc32c],
  ["the chosen", crc32c],
])("%s crc32c", (_, checksum) => {
  it("gives the check value of Castagnoli's polynomial", () => {
    expect(checksum(Buffer.from("123456789"), 0)).toBe(0xe3069283);
  });

  it("is the same in one piece and in two", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
        expect(checksum(bytes.subarray(cut), checksum(bytes.subarray(0, cut), 0))).toBe(checksum(bytes, 0));
      }),
    );
  });
});

describe("the two crc32c", () => {
  it("agree on all bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(crc32c(bytes, 0)).toBe(portableCrc32c(bytes, 0));
      }),
    );
  });
});
