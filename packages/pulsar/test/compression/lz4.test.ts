import { randomBytes } from "node:crypto";
import fc from "fast-check";
import native from "lz4-napi";
import { describe, expect, it } from "vitest";
import { lz4 } from "../../src/compression/lz4.ts";

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
  return target.subarray(0, lz4.compress(payload, target));
}

function equal(bytes: Uint8Array, payload: Buffer): boolean {
  return payload.equals(bytes);
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
        expect(equal(lz4.decompress(compressed, payload.length), payload)).toBe(true);
      }),
    );
  });

  it("of another implementation is read", () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        const compressed = native.compressSync(payload).subarray(4);
        expect(equal(lz4.decompress(compressed, payload.length), payload)).toBe(true);
      }),
    );
  });

  it("never exceeds its target, whatever the target's size", () => {
    fc.assert(
      fc.property(payloads, fc.integer({ min: 0, max: 2_000 }), (payload, room) => {
        const memory = Buffer.alloc(room + 100, 7);
        const size = lz4.compress(payload, memory.subarray(0, room));
        expect(memory.subarray(room).every((byte) => byte === 7)).toBe(true);
        if (size > 0)
          expect(equal(lz4.decompress(memory.subarray(0, size), payload.length), payload)).toBe(true);
      }),
    );
  });

  it("fits exactly into the size that it needs", () => {
    const payload = Buffer.concat([Buffer.alloc(300, "ab"), noise.subarray(0, 40)]);
    const size = block(payload).length;
    expect(lz4.compress(payload, Buffer.alloc(size + 16))).toBe(size);
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
            expect(lz4.decompress(damaged, payload.length)).toHaveLength(payload.length);
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
    expect(() => lz4.decompress(Buffer.from(hex, "hex"), 40)).toThrow(RangeError);
  });

  it("that is said to hold more than any block of its length is refused before memory is allocated", () => {
    expect(() => lz4.decompress(Buffer.from("406162", "hex"), 0xffff_ffff)).toThrow(RangeError);
    const payload = Buffer.alloc(1_048_576);
    expect(equal(lz4.decompress(block(payload), payload.length), payload)).toBe(true);
  });
});
