import type { Compression } from "../publisher.ts";

/** One way of compressing a payload. */
export interface Codec {
  readonly name: Compression;
  /** CompressionType of the protocol. */
  readonly type: number;
  /**
   * Compresses `payload` into the beginning of `target`.
   *
   * @returns the bytes written; 0 when the result does not fit into `target`, whose content is undefined then.
   */
  compress(payload: Buffer, target: Buffer): number;
  /** @param size bytes of the result, as the metadata states. @throws when `payload` is corrupt. */
  decompress(payload: Uint8Array, size: number): Uint8Array;
}

/** The result of a library that allocates its output itself, as {@link Codec.compress} returns it. */
export function copyIfFits(result: Uint8Array, target: Buffer): number {
  if (result.length > target.length) return 0;
  target.set(result);
  return result.length;
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
