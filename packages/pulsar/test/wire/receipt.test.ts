import { describe, expect, it } from "vitest";
import { splitCommand } from "../../src/wire/commands.ts";
import { readReceipt } from "../../src/wire/receipt.ts";

describe("readReceipt", () => {
  it("reads the receipt of a duplicate as Java writes it", () => {
    const hex = "08073a27080110071a1608ffffffffffffffffff0110ffffffffffffffffff0120ffffffffffffffffff01";
    expect(readReceipt(splitCommand(Buffer.from(hex, "hex")).content)).toEqual({
      producerId: 1,
      sequenceId: 7,
      highestSequenceId: -1,
      ledgerId: -1n,
      entryId: -1n,
    });
  });

  it("skips fields that are not known, and takes a missing highest id for 0", () => {
    expect(readReceipt(Buffer.from("080110071a0408051006" + "7a0161", "hex"))).toEqual({
      producerId: 1,
      sequenceId: 7,
      highestSequenceId: 0,
      ledgerId: 5n,
      entryId: 6n,
    });
  });

  it("refuses a receipt without ids", () => {
    expect(() => readReceipt(Buffer.from("0801", "hex"))).toThrow(RangeError);
  });
});
