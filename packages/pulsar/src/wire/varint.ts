/** Most bytes a varint may have: 64 bits in groups of seven. */
const maxVarintBytes = 10;

/** Bytes that `value`, an integer of 0 to 2^53 - 1, takes as a varint. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

/**
 * Reads protobuf varints of up to 64 bits from `bytes`.
 *
 * The protocol's uint64 are Java longs on the other side: -1 travels as 2^64 - 1. So every value is taken as signed.
 */
export class VarintReader {
  readonly bytes: Uint8Array;
  offset: number;
  readonly end: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.offset = start;
    this.end = end;
  }

  /** @throws RangeError when the varint is truncated or longer than ten bytes. */
  long(): bigint {
    let low = 0;
    let high = 0;
    for (let group = 0; group < maxVarintBytes; group += 1) {
      const byte = this.#next();
      const bits = byte & 0x7f;
      if (group < 4) low |= bits << (7 * group);
      else if (group === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * group - 32);
      if (byte < 0x80) return (BigInt(high | 0) << 32n) | BigInt(low >>> 0);
    }
    throw new RangeError("a varint has more than ten bytes");
  }

  /** As {@link long}, rounded to a double: exact from -2^53 to 2^53. */
  number(): number {
    const first = this.bytes[this.offset];
    if (first !== undefined && first < 0x80 && this.offset < this.end) {
      this.offset += 1;
      return first;
    }
    return Number(this.long());
  }

  #next(): number {
    const byte = this.offset < this.end ? this.bytes[this.offset] : undefined;
    if (byte === undefined) throw new RangeError("a varint is truncated");
    this.offset += 1;
    return byte;
  }
}
