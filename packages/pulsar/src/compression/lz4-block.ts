/** The shortest match that the format can name. */
const minMatch = 4;
/** The last bytes of a block are always literals, and no match begins among the last twelve. */
const lastLiterals = 5;
const matchMargin = 12;
/** How far back a match may lie. */
const maxOffset = 65_535;
/** A length that does not fit into its half of the token continues in bytes of its own. */
const tokenLength = 15;
/** From this length on a call into the engine is cheaper than a loop. */
const copyCallBytes = 64;

const hashBits = 13;
const hashShift = 32 - hashBits;
/** Knuth's multiplicative hash: 2^32 divided by the golden ratio. */
const hashFactor = 0x9e3779b1 | 0;
/** After 64 misses the search skips one byte more, after 128 two, and so on: noise costs little. */
const skipShift = 6;

/**
 * Where four bytes were seen last, plus the base of the call. An entry below the base belongs to an earlier call: the
 * table need not be cleared.
 */
const seen = new Int32Array(1 << hashBits);
const largestBase = 0x4000_0000;
let nextBase = 1;

/**
 * Writes `source` to `target` as one raw LZ4 block.
 *
 * @returns the bytes written; 0 when the block does not fit into `target`, whose content is undefined then.
 */
export function compressBlock(source: Buffer, target: Buffer): number {
  if (nextBase > largestBase) {
    seen.fill(0);
    nextBase = 1;
  }
  const base = nextBase;
  nextBase += source.length + 1;
  return new BlockWriter(source, target, base).write();
}

class BlockWriter {
  readonly #source: Buffer;
  readonly #target: Buffer;
  readonly #words: DataView;
  readonly #base: number;
  /** First byte of the source that is not yet in the block. */
  #anchor = 0;
  /** Bytes written. */
  #out = 0;

  constructor(source: Buffer, target: Buffer, base: number) {
    this.#source = source;
    this.#target = target;
    this.#words = new DataView(source.buffer, source.byteOffset, source.length);
    this.#base = base;
  }

  write(): number {
    const source = this.#source;
    const words = this.#words;
    const base = this.#base;
    const lastStart = source.length - matchMargin;
    let misses = 0;
    for (let at = 0; at <= lastStart; ) {
      const word = words.getInt32(at, true);
      const slot = Math.imul(word, hashFactor) >>> hashShift;
      const from = ((seen[slot] ?? 0) - base) | 0;
      seen[slot] = (at + base) | 0;
      if (from < 0 || at - from > maxOffset || words.getInt32(from, true) !== word) {
        at = (at + 1 + (misses >> skipShift)) | 0;
        misses = (misses + 1) | 0;
        continue;
      }
      at = this.#writeMatch(at, from);
      if (at < 0) return 0;
      misses = 0;
      if (at <= lastStart) this.#remember(at - 2);
    }
    return this.#writeRest();
  }

  /** @returns the end of the match that `at` and `from` are in; -1 when there is no room for it. */
  #writeMatch(at: number, from: number): number {
    const before = this.#equalBefore(at, from);
    const start = (at - before) | 0;
    const end = this.#matchEnd((at + minMatch) | 0, (from + minMatch) | 0);
    const literals = (start - this.#anchor) | 0;
    const longer = (end - start - minMatch) | 0;
    // A length takes a byte for each 255. Counting one for each 128 avoids a division.
    if (this.#out + literals + (literals >>> 7) + (longer >>> 7) + 8 > this.#target.length) return -1;
    this.#writeLiterals(literals, longer);
    const target = this.#target;
    const offset = (at - from) | 0;
    target[this.#out] = offset;
    target[this.#out + 1] = offset >>> 8;
    this.#out = (this.#out + 2) | 0;
    if (longer >= tokenLength) this.#writeLength(longer - tokenLength);
    this.#anchor = end;
    return end;
  }

  #equalBefore(at: number, from: number): number {
    const source = this.#source;
    const most = Math.min(at - this.#anchor, from);
    let count = 0;
    while (count < most && source[at - count - 1] === source[from - count - 1]) count = (count + 1) | 0;
    return count;
  }

  #matchEnd(at: number, from: number): number {
    const source = this.#source;
    const words = this.#words;
    const last = source.length - lastLiterals;
    let end = at;
    let other = from;
    while (end <= last - 4) {
      const difference = words.getInt32(end, true) ^ words.getInt32(other, true);
      // The lowest bit that differs lies in the first byte that differs.
      if (difference !== 0) return (end + ((31 - Math.clz32(difference & -difference)) >>> 3)) | 0;
      end = (end + 4) | 0;
      other = (other + 4) | 0;
    }
    while (end < last && source[end] === source[other]) {
      end = (end + 1) | 0;
      other = (other + 1) | 0;
    }
    return end;
  }

  #remember(at: number): void {
    const slot = Math.imul(this.#words.getInt32(at, true), hashFactor) >>> hashShift;
    seen[slot] = (at + this.#base) | 0;
  }

  #writeRest(): number {
    const literals = this.#source.length - this.#anchor;
    if (this.#out + literals + (literals >>> 7) + 2 > this.#target.length) return 0;
    this.#writeLiterals(literals, 0);
    return this.#out;
  }

  /** A token, and the literals from the anchor on. @param longer of the match behind them, for the token. */
  #writeLiterals(literals: number, longer: number): void {
    const high = Math.min(literals, tokenLength);
    const low = Math.min(longer, tokenLength);
    this.#target[this.#out] = (high << 4) | low;
    this.#out = (this.#out + 1) | 0;
    if (literals >= tokenLength) this.#writeLength(literals - tokenLength);
    this.#copy(this.#anchor, literals);
  }

  #writeLength(length: number): void {
    const target = this.#target;
    let out = this.#out;
    let rest = length;
    for (; rest >= 255; rest = (rest - 255) | 0) {
      target[out] = 255;
      out = (out + 1) | 0;
    }
    target[out] = rest;
    this.#out = (out + 1) | 0;
  }

  #copy(from: number, count: number): void {
    const source = this.#source;
    const target = this.#target;
    const out = this.#out;
    if (count >= copyCallBytes) source.copy(target, out, from, from + count);
    else
      for (let index = 0; index < count; index = (index + 1) | 0)
        target[out + index] = source[from + index] ?? 0;
    this.#out = (out + count) | 0;
  }
}

/**
 * What a raw LZ4 block holds.
 *
 * @param size bytes of the result.
 * @throws RangeError when the block is corrupt, or holds more or less than `size` bytes.
 */
export function decompressBlock(block: Uint8Array, size: number): Buffer {
  const source = Buffer.from(block.buffer, block.byteOffset, block.length);
  const target = Buffer.allocUnsafe(size);
  let at = 0;
  let out = 0;
  while (at < source.length) {
    const token = source[at] ?? 0;
    at += 1;
    const literals = readLength(source, at, token >>> 4);
    at += lengthBytes(literals);
    if (at + literals > source.length || out + literals > size) throw corrupt();
    source.copy(target, out, at, at + literals);
    at += literals;
    out += literals;
    if (at === source.length) break;
    if (at + 2 > source.length) throw corrupt();
    const offset = source.readUInt16LE(at);
    at += 2;
    const longer = readLength(source, at, token & 0x0f);
    at += lengthBytes(longer);
    const count = longer + minMatch;
    if (offset === 0 || offset > out || out + count > size) throw corrupt();
    repeat(target, out, { offset, count });
    out += count;
  }
  if (out !== size) throw new RangeError(`an LZ4 block holds ${out} bytes, not ${size}`);
  return target;
}

/** @param start the half of the token. */
function readLength(source: Buffer, at: number, start: number): number {
  if (start < tokenLength) return start;
  let length = start;
  for (let place = at; ; place += 1) {
    const more = source[place];
    if (more === undefined) throw corrupt();
    length += more;
    if (more < 255) return length;
  }
}

/** Bytes that a length takes beside its half of the token. */
function lengthBytes(length: number): number {
  return length < tokenLength ? 0 : 1 + Math.floor((length - tokenLength) / 255);
}

/** Copies what lies `offset` bytes before `out`: at most as far as it goes, then again, so that a run repeats itself. */
function repeat(target: Buffer, out: number, { offset, count }: { offset: number; count: number }): void {
  for (let done = 0; done < count; ) {
    // What was copied is a repetition too: each step may copy as much as all before it.
    const step = Math.min(count - done, offset + done);
    target.copyWithin(out + done, out - offset, out - offset + step);
    done += step;
  }
}

function corrupt(): RangeError {
  return new RangeError("an LZ4 block is corrupt");
}
