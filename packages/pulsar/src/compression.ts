import type { Codec } from "./compression/codec.ts";
import { lz4 } from "./compression/lz4.ts";
import { snappy } from "./compression/snappy.ts";
import { zlib } from "./compression/zlib.ts";
import { loadedZstd, loadZstd } from "./compression/zstd.ts";
import { UnsupportedCompressionError } from "./errors.ts";
import type { Compression } from "./publisher.ts";

export type { Codec } from "./compression/codec.ts";

/**
 * The codec of that name; `undefined` for none.
 *
 * SNAPPY needs the optional package `snappy`, the others need none.
 *
 * @throws UnsupportedCompressionError (`PIO_UNSUPPORTED_COMPRESSION`) when this machine has no such compression.
 */
export async function resolveCompression(name: Compression): Promise<Codec | undefined> {
  switch (name) {
    case "NONE":
      return undefined;
    case "LZ4":
      return lz4;
    case "ZLIB":
      return zlib;
    case "ZSTD":
      return await loadZstd();
    case "SNAPPY":
      return snappy() ?? refuse("SNAPPY needs the package snappy, which is not installed for this platform");
    default:
      return refuse(`there is no compression ${String(name)}`);
  }
}

/** Loads the codecs that {@link codecOfType} cannot load itself. */
export async function loadCodecs(): Promise<void> {
  await loadZstd();
}

/** The codec for a CompressionType of the protocol, to read with. @throws UnsupportedCompressionError */
export function codecOfType(type: number): Codec | undefined {
  if (type === 0) return undefined;
  const codec = [lz4, zlib, loadedZstd(), snappy()].find((one) => one?.type === type);
  if (codec !== undefined) return codec;
  throw new UnsupportedCompressionError(`a message has compression type ${type}, which cannot be read here`, {
    remedy: "install the optional package snappy for SNAPPY, and call loadCodecs before reading ZSTD",
  });
}

function refuse(message: string): never {
  throw new UnsupportedCompressionError(message, {
    remedy: "install the package, or use another compression: LZ4, ZSTD, ZLIB and NONE need none",
  });
}
