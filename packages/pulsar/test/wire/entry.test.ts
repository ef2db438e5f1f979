import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decodeEntry } from "../../src/index.ts";

/** metadataSize metadata payload, without a checksum. */
function entry(metadata: readonly Buffer[], payload: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(
    metadata.reduce((sum, part) => sum + part.length, 0),
    0,
  );
  return Buffer.concat([size, ...metadata, payload]);
}

const hex = (text: string) => Buffer.from(text, "hex");
/** Producer p, sequence id 1, publish time 1. */
const metadata = hex("0a017010011801");
const zlib = hex("4002");
const batchOf = (count: string) => hex(`58${count}`);

describe("decodeEntry", () => {
  it("reads an entry that repeats a property half a million times, in the time that its bytes take", () => {
    const count = 500_000;
    const properties = Buffer.alloc(count * 6, hex("22040a001200"));
    const [message] = decodeEntry(entry([metadata, properties], Buffer.from("v")));
    expect(message?.properties).toEqual({ "": "" });
  });

  it("refuses a batch whose message has a negative size: it would never come to its end", () => {
    // Four bytes of size, then payload_size -15: the next message would begin where this one did.
    const single = hex("0000000b18f1ffffffffffffffff01");
    expect(() => decodeEntry(entry([metadata, batchOf("ffffffff0f")], single))).toThrow("truncated");
  });

  it("refuses a batch that claims more messages than there are", () => {
    expect(() => decodeEntry(entry([metadata, batchOf("ffffffff0f")], hex("000000021800")))).toThrow(
      RangeError,
    );
  });

  it.each([
    ["is corrupt", "4805", hex("789cffffffff")],
    ["ends too early", "4805", deflateSync(Buffer.from("hello")).subarray(0, 6)],
    ["is larger than it claims", "4801", deflateSync(Buffer.from("hello"))],
    ["claims to be of 4 GiB", "48ffffffff0f", deflateSync(Buffer.from("hello"))],
    ["claims to be of less than nothing", "48ffffffffffffffffff01", deflateSync(Buffer.from("hello"))],
  ])("refuses a compressed entry that %s", (_, size, payload) => {
    expect(() => decodeEntry(entry([metadata, zlib, hex(size)], payload))).toThrow(RangeError);
  });
});
