import { constants, deflateSync } from "node:zlib";
import { RecordingLogger } from "@pulsar-ts-io/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codecOfType, resolveCompression } from "../src/compression.ts";
import type { Compression } from "../src/index.ts";

describe("resolveCompression", () => {
  it.each<[Compression, number]>([
    ["LZ4", 1],
    ["ZLIB", 2],
  ])("gives back with %s what went in", (name, type) => {
    const codec = resolveCompression(name, new RecordingLogger());
    expect(codec?.type).toBe(type);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 20 }), (bytes, times) => {
        const payload = Buffer.concat(Array.from({ length: times }, () => bytes));
        const compressed = codec?.compress(payload) ?? payload;
        const back = codecOfType(type)?.decompress(compressed, payload.length) ?? compressed;
        expect(Buffer.compare(back, payload)).toBe(0);
      }),
    );
  });

  it("reads LZ4's raw block, which has no size before it", () => {
    const block = resolveCompression("LZ4", new RecordingLogger())?.compress(Buffer.alloc(100, "a"));
    // A token for one literal and a long match, the literal, how far back the match is: the block format's own first bytes.
    expect(Buffer.from(block ?? []).toString("hex")).toMatch(/^1f610100/);
  });

  it("reads Java's ZLIB, which has neither end nor checksum", () => {
    const plain = Buffer.from("hello hello hello");
    const java = deflateSync(plain, { finishFlush: constants.Z_SYNC_FLUSH });
    expect(codecOfType(2)?.decompress(java, plain.length)).toEqual(plain);
  });

  it("compresses nothing when told so", () => {
    expect(resolveCompression("NONE", new RecordingLogger())).toBeUndefined();
    expect(codecOfType(0)).toBeUndefined();
  });

  it.each<Compression>(["ZSTD", "SNAPPY"])("refuses %s and names what there is", (name) => {
    expect(() => resolveCompression(name, new RecordingLogger())).toThrow(
      expect.objectContaining({ code: "PIO_UNSUPPORTED_COMPRESSION", remedy: "use LZ4, ZLIB or NONE" }),
    );
    expect(() => codecOfType(3)).toThrow(expect.objectContaining({ code: "PIO_UNSUPPORTED_COMPRESSION" }));
  });
});
