import { randomBytes } from "node:crypto";
import { constants, deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Codec, codecOfType, resolveCompression } from "../src/compression.ts";
import type { Compression } from "../src/index.ts";

async function codecOf(name: Compression): Promise<Codec> {
  const codec = await resolveCompression(name);
  if (codec === undefined) throw new Error(`there is no codec for ${name}`);
  return codec;
}

/** What `codec` makes of `payload`, in a buffer that is large enough for it. */
function compressed(codec: Codec, payload: Uint8Array): Buffer {
  const target = Buffer.alloc(payload.length + 1_024 + Math.ceil(payload.length / 100));
  return target.subarray(0, codec.compress(Buffer.from(payload), target));
}

/** The window that a reader of a zstd frame must keep, bytes. */
function windowBytes(frame: Uint8Array): number {
  const [, , , , descriptor = 0, window = 0] = frame;
  const singleSegment = (descriptor & 0x20) !== 0;
  // The size of the content stands where the window would: it is the window.
  if (singleSegment) return Buffer.from(frame).readUIntLE(5, [1, 2, 4, 6][descriptor >> 6] ?? 1);
  return 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8);
}

describe("resolveCompression", () => {
  it.each<[Compression, number]>([
    ["LZ4", 1],
    ["ZLIB", 2],
    ["ZSTD", 3],
    ["SNAPPY", 4],
  ])(
    "gives back with %s what went in, also when others were compressed since",
    async (name, type) => {
      const codec = await codecOf(name);
      expect(codec.type).toBe(type);
      const payloads = fc.array(
        fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 20 })),
        {
          maxLength: 5,
        },
      );
      fc.assert(
        fc.property(payloads, (parts) => {
          const plain = parts.map(([bytes, times]) =>
            Buffer.concat(Array.from({ length: times }, () => bytes)),
          );
          const packed = plain.map((payload) => compressed(codec, payload));
          for (const [index, payload] of plain.entries()) {
            const back = codecOfType(type)?.decompress(packed[index] ?? noBytes, payload.length);
            expect(Buffer.compare(back ?? noBytes, payload)).toBe(0);
          }
        }),
      );
    },
    60_000,
  );

  it.each([0, 100, 300, 70_000, 20_000_000])(
    "keeps the window of %d bytes with ZSTD within the 8 MiB that Java reads",
    async (size) => {
      const frame = compressed(await codecOf("ZSTD"), Buffer.alloc(size, randomBytes(1_000)));
      expect(Buffer.from(frame.subarray(0, 4)).toString("hex")).toBe("28b52ffd");
      expect(windowBytes(frame)).toBeLessThanOrEqual(8 * 1_048_576);
    },
  );

  it("writes SNAPPY's raw block, which begins with its size and no stream identifier", async () => {
    const block = compressed(await codecOf("SNAPPY"), Buffer.from("abc"));
    // The size, then a literal of three bytes: the block format's own example.
    expect(Buffer.from(block).toString("hex")).toBe(`0308${Buffer.from("abc").toString("hex")}`);
  });

  it("reads LZ4's raw block, which has no size before it", async () => {
    const block = compressed(await codecOf("LZ4"), Buffer.alloc(100, "a"));
    // A token for one literal and a long match, the literal, how far back the match is: the block format's own first bytes.
    expect(Buffer.from(block).toString("hex")).toMatch(/^1f610100/);
  });

  it.each(["LZ4", "ZLIB", "ZSTD", "SNAPPY"] as const)(
    "writes nothing with %s beyond a target that is too small, and says so",
    async (name) => {
      const codec = await codecOf(name);
      const noise = randomBytes(10_000);
      const memory = Buffer.alloc(10_100, 7);
      expect(codec.compress(noise, memory.subarray(0, noise.length - 1))).toBe(0);
      expect(memory.subarray(noise.length - 1)).toEqual(Buffer.alloc(101, 7));
    },
  );

  it("reads Java's ZLIB, which has neither end nor checksum", () => {
    const plain = Buffer.from("hello hello hello");
    const java = deflateSync(plain, { finishFlush: constants.Z_SYNC_FLUSH });
    expect(codecOfType(2)?.decompress(java, plain.length)).toEqual(plain);
  });

  it("compresses nothing when told so", async () => {
    expect(await resolveCompression("NONE")).toBeUndefined();
    expect(codecOfType(0)).toBeUndefined();
  });

  it("refuses a compression that does not exist", async () => {
    const unknown = "BROTLI" as Compression;
    await expect(resolveCompression(unknown)).rejects.toMatchObject({
      code: "PIO_UNSUPPORTED_COMPRESSION",
      message: "there is no compression BROTLI",
    });
    expect(() => codecOfType(9)).toThrow(expect.objectContaining({ code: "PIO_UNSUPPORTED_COMPRESSION" }));
  });
});

const noBytes = new Uint8Array(0);
