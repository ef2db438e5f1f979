import { createRequire } from "node:module";
import { constants, deflateSync, inflateSync } from "node:zlib";
import type { Logger } from "@pulsar-ts-io/core";
import { UnsupportedCompressionError } from "./errors.ts";
import type { Compression } from "./publisher.ts";

/** One way of compressing a payload. */
export interface Codec {
  readonly name: Compression;
  /** CompressionType of the protocol. */
  readonly type: number;
  compress(payload: Uint8Array): Uint8Array;
  /** @param size bytes of the result, which the metadata tells. @throws when `payload` is corrupt. */
  decompress(payload: Uint8Array, size: number): Uint8Array;
}

const zlib: Codec = {
  name: "ZLIB",
  type: 2,
  compress: (payload) => deflateSync(payload),
  // Java ends its stream with a sync flush and neither end mark nor checksum.
  decompress: (payload, size) =>
    inflateSync(payload, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: Math.max(1, size) }),
};

/**
 * The codec of that name; `undefined` for none.
 *
 * LZ4 needs the optional package `lz4-napi`. Where that has no binary for this machine, payloads go uncompressed, which every
 * reader understands, and one line says so.
 *
 * @throws UnsupportedCompressionError (`PIO_UNSUPPORTED_COMPRESSION`) for ZSTD and SNAPPY.
 */
export function resolveCompression(name: Compression, logger: Logger): Codec | undefined {
  switch (name) {
    case "NONE":
      return undefined;
    case "ZLIB":
      return zlib;
    case "LZ4": {
      const codec = lz4();
      if (codec === undefined) {
        logger.warn({}, "lz4-napi is not installed for this platform: messages are published uncompressed");
      }
      return codec;
    }
    default:
      throw new UnsupportedCompressionError(`the compression ${String(name)} is not supported`, {
        remedy: "use LZ4, ZLIB or NONE",
      });
  }
}

/** The codec for a CompressionType of the protocol, to read with. @throws UnsupportedCompressionError */
export function codecOfType(type: number): Codec | undefined {
  if (type === 0) return undefined;
  const codec = type === zlib.type ? zlib : type === 1 ? lz4() : undefined;
  if (codec !== undefined) return codec;
  throw new UnsupportedCompressionError(
    `a message has compression type ${type}, which is not supported here`,
    {
      remedy: "read LZ4, ZLIB or uncompressed messages; LZ4 needs the optional package lz4-napi",
    },
  );
}

/** Bytes that lz4-napi puts before a block: its size, little-endian. Pulsar's blocks have no such prefix. */
const lz4PrefixBytes = 4;
let loadedLz4: Codec | undefined;

function lz4(): Codec | undefined {
  loadedLz4 ??= loadLz4();
  return loadedLz4;
}

function loadLz4(): Codec | undefined {
  try {
    // The package's own type: what an optional dependency exports is known only once it is there.
    const native = createRequire(import.meta.url)("lz4-napi") as typeof import("lz4-napi");
    return {
      name: "LZ4",
      type: 1,
      compress: (payload) => native.compressSync(asBuffer(payload)).subarray(lz4PrefixBytes),
      decompress: (payload, size) => {
        const prefix = Buffer.allocUnsafe(lz4PrefixBytes);
        prefix.writeUInt32LE(size, 0);
        return native.uncompressSync(Buffer.concat([prefix, payload]));
      },
    };
  } catch {
    // Optional: not installed, or no binary for this platform; `resolveCompression` says so.
    return undefined;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
