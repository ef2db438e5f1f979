import type { Compression } from "../publisher.ts";

/** One way of compressing a payload. */
export interface Codec {
  readonly name: Compression;
  /** CompressionType of the protocol. */
  readonly type: number;
  compress(payload: Uint8Array): Uint8Array;
  /** @param size bytes of the result, which the metadata tells. @throws when `payload` is corrupt. */
  decompress(payload: Uint8Array, size: number): Uint8Array;
}

/** What stands for an optional package that cannot be loaded. */
export function optionalPackage<T>(load: () => T): T | undefined {
  try {
    return load();
  } catch {
    // Not installed, or no binary for this platform; whoever asks for its compression is told.
    return undefined;
  }
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
