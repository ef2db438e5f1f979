import { randomBytes } from "node:crypto";
import fc from "fast-check";
import native from "lz4-napi";
import { describe, expect, it } from "vitest";
import { compressBlock, decompressBlock } from "../../src/compression/lz4-block.ts";

/** Any bytes, among them runs, repetitions near and far, and noise. */
const payloads = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.integer({ min: 1, max: 400 })),
      fc.integer({ min: 1, max: 70_000 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => {
    const pieces: Uint8Array[] = [];
    for (const part of parts) {
      if (part instanceof Uint8Array) pieces.push(part);
      else if (typeof part === "number") pieces.push(noise.subarray(0, part));
      else pieces.push(Buffer.concat(Array.from({ length: part[1] }, () => part[0])));
    }
    return Buffer.concat(pieces);
  });

const noise = randomBytes(70_000);

function block(payload: Buffer): Buffer {
  const target = Buffer.alloc(payload.length + Math.ceil(payload.length / 100) + 64);
  return target.subarray(0, compressBlock(payload, target));
}

/** The other library puts the size before the block. */
function sized(bytes: Buffer, size: number): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(size);
  return Buffer.concat([prefix, bytes]);
}

describe("an LZ4 block", () => {
  it("is read by another implementation, and gives back what went in", () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        const compressed = block(payload);
        expect(native.uncompressSync(sized(compressed, payload.length)).equals(payload)).toBe(true);
        expect(decompressBlock(compressed, payload.length).equals(payload)).toBe(true);
      }),
    );
  });

  it("of another implementation is read", () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        const compressed = native.compressSync(payload).subarray(4);
        expect(decompressBlock(compressed, payload.length).equals(payload)).toBe(true);
      }),
    );
  });

  it("ends with five literals, and has no match in the last twelve bytes, as decoders require", () => {
    // 4 + 12 equal bytes could be one match; the format allows one that ends five bytes before the end.
    const compressed = block(Buffer.alloc(16, "a"));
    expect(compressed.toString("hex")).toBe(`16610100${"50"}${"61".repeat(5)}`);
    expect(block(Buffer.alloc(12, "a")).toString("hex")).toBe(`c0${"61".repeat(12)}`);
  });

  it("never exceeds its target, whatever the target's size", () => {
    fc.assert(
      fc.property(payloads, fc.integer({ min: 0, max: 2_000 }), (payload, room) => {
        const memory = Buffer.alloc(room + 100, 7);
        const size = compressBlock(payload, memory.subarray(0, room));
        expect(memory.subarray(room).every((byte) => byte === 7)).toBe(true);
        if (size > 0) expect(decompressBlock(memory.subarray(0, size), payload.length)).toEqual(payload);
      }),
    );
  });

  it("fits exactly into the size that it needs", () => {
    const payload = Buffer.concat([Buffer.alloc(300, "ab"), noise.subarray(0, 40)]);
    const size = block(payload).length;
    expect(compressBlock(payload, Buffer.alloc(size + 16))).toBe(size);
  });

  it("is refused when it is corrupt, without an endless loop or bytes of other buffers", () => {
    fc.assert(
      fc.property(
        payloads,
        fc.uint8Array({ minLength: 1, maxLength: 6 }),
        fc.nat(),
        (payload, damage, where) => {
          const damaged = Buffer.from(block(payload));
          damaged.set(
            damage.subarray(0, damaged.length),
            where % Math.max(1, damaged.length - damage.length),
          );
          try {
            expect(decompressBlock(damaged, payload.length)).toHaveLength(payload.length);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        },
      ),
    );
  });

  it.each([
    ["ends in the middle of its literals", "40616263"],
    ["has a match before its beginning", "1461010000"],
    ["has a match of distance zero", "1461000000"],
    ["ends in the middle of a distance", "106101"],
    ["ends in the middle of a length", "f0ff"],
  ])("that %s is refused", (_, hex) => {
    expect(() => decompressBlock(Buffer.from(hex, "hex"), 40)).toThrow(RangeError);
  });

  it("is right after a gigabyte of others, when the positions of the table begin again", {
    timeout: 60_000,
  }, () => {
    const payload = Buffer.concat([Buffer.alloc(1_000, "abcdefg"), noise.subarray(0, 1_000)]);
    const expected = block(payload);
    const large = Buffer.alloc(64 * 1_048_576);
    const target = Buffer.alloc(1_048_576);
    for (let round = 0; round < 17; round += 1) compressBlock(large, target);
    expect(block(payload)).toEqual(expected);
    expect(decompressBlock(block(payload), payload.length)).toEqual(payload);
  });
});
