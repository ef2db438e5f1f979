import type { Logger } from "@pulsar-ts-io/core";
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
 * LZ4 is the default and needs the optional package `lz4-napi`. Where that has no binary for this machine, payloads go
 * uncompressed, which every reader understands, and one line says so. SNAPPY was asked for by name: without its package it is refused.
 *
 * @throws UnsupportedCompressionError (`PIO_UNSUPPORTED_COMPRESSION`) when this machine cannot compress so.
 */
export async function resolveCompression(name: Compression, logger: Logger): Promise<Codec | undefined> {
  switch (name) {
    case "NONE":
      return undefined;
    case "ZLIB":
      return zlib;
    case "ZSTD":
      return await loadZstd();
    case "SNAPPY":
      return snappy() ?? refuse("SNAPPY needs the package snappy, which is not installed for this platform");
    case "LZ4": {
      const codec = lz4();
      if (codec === undefined) {
        logger.warn({}, "lz4-napi is not installed for this platform: messages are published uncompressed");
      }
      return codec;
    }
    default:
      return refuse(`there is no compression ${String(name)}`);
  }
}

/** Loads what {@link codecOfType} finds ready only after that. */
export async function loadCodecs(): Promise<void> {
  await loadZstd();
}

/** The codec for a CompressionType of the protocol, to read with. @throws UnsupportedCompressionError */
export function codecOfType(type: number): Codec | undefined {
  if (type === 0) return undefined;
  const codec = [lz4(), zlib, loadedZstd(), snappy()].find((one) => one?.type === type);
  if (codec !== undefined) return codec;
  throw new UnsupportedCompressionError(`a message has compression type ${type}, which cannot be read here`, {
    remedy:
      "LZ4 needs the optional package lz4-napi, SNAPPY the package snappy, and ZSTD a call of loadCodecs",
  });
}

function refuse(message: string): never {
  throw new UnsupportedCompressionError(message, {
    remedy: "install the package, or use another compression: ZSTD, ZLIB and NONE need none",
  });
}
