import type { BufferPool } from "./buffer-pool.ts";
import { varintSize } from "./varint.ts";

const asciiLoopLength = 48;

/** A growing buffer that protobuf fields are written to. */
export class ByteWriter {
  readonly #pool: BufferPool | undefined;
  #buffer: Buffer;
  #length = 0;

  /** @param capacity bytes to start with. @param pool lends the buffer. */
  constructor(capacity: number, pool?: BufferPool) {
    this.#pool = pool;
    this.#buffer = this.#allocate(capacity);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Bytes of memory that are held. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** What was written: a view, valid until the next write. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Makes room for `count` bytes, so that the raw writers below may be used. */
  reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    const grown = this.#allocate(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.release();
    this.#buffer = grown;
  }

  /** Gives the buffer back to its pool: whatever was written is gone. */
  release(): void {
    this.#pool?.give(this.#buffer);
  }

  byte(value: number): void {
    this.reserve(1);
    this.#buffer[this.#length] = value;
    this.#length += 1;
  }

  uint32(value: number): void {
    this.reserve(4);
    this.#length = this.#buffer.writeUInt32BE(value >>> 0, this.#length);
  }

  /** Overwrites four bytes that were written before. */
  patchUint32(offset: number, value: number): void {
    this.#buffer.writeUInt32BE(value >>> 0, offset);
  }

  /** @param value an integer of 0 to 2^53 - 1. */
  varint(value: number): void {
    this.reserve(10);
    const buffer = this.#buffer;
    let offset = this.#length;
    let rest = value;
    while (rest > 0x7fffffff) {
      buffer[offset++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    while (rest >= 0x80) {
      buffer[offset++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[offset++] = rest;
    this.#length = offset;
  }

  /** A signed 64-bit integer: -1 takes ten bytes. */
  long(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    while (rest >= 0x80n) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.byte(Number(rest));
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Leaves a byte for a length that is not known yet. @returns what {@link endLength} wants. */
  startLength(): number {
    this.byte(0);
    return this.#length;
  }

  /** Writes the length of what was written since {@link startLength}; what is longer than a byte can tell moves on. */
  endLength(start: number): void {
    const length = this.#length - start;
    const more = varintSize(length) - 1;
    this.reserve(more);
    const buffer = this.#buffer;
    if (more > 0) buffer.copyWithin(start + more, start, this.#length);
    let rest = length;
    for (let offset = start - 1; offset < start + more; offset += 1, rest >>>= 7) {
      buffer[offset] = offset < start - 1 + more ? (rest & 0x7f) | 0x80 : rest;
    }
    this.#length += more;
  }

  /** The length of `bytes` as a varint, then `bytes`. */
  prefixed(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** The length in UTF-8 as a varint, then the text. */
  text(value: string): void {
    // A call into the engine's encoder costs more than writing a short ASCII text byte by byte.
    if (value.length <= asciiLoopLength && this.#shortAscii(value)) return;
    const size = Buffer.byteLength(value);
    this.varint(size);
    this.reserve(size);
    this.#buffer.write(value, this.#length, size, "utf8");
    this.#length += size;
  }

  #allocate(capacity: number): Buffer {
    return this.#pool?.take(capacity) ?? Buffer.allocUnsafe(capacity);
  }

  #shortAscii(value: string): boolean {
    const length = value.length;
    this.reserve(length + 1);
    const buffer = this.#buffer;
    const start = this.#length + 1;
    for (let index = 0; index < length; index += 1) {
      const unit = value.charCodeAt(index);
      if (unit >= 0x80) return false;
      buffer[start + index] = unit;
    }
    buffer[start - 1] = length;
    this.#length = start + length;
    return true;
  }
}
