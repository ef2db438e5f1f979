/** The kinds of CBOR's data items (RFC 8949, section 3.1), by their number. */
export const cborKinds = {
  unsigned: 0,
  negative: 1,
  bytes: 2,
  text: 3,
  array: 4,
  map: 5,
  tag: 6,
  simple: 7,
} as const;

/** The bytes are not CBOR, or not all of it. */
export class CborError extends Error {
  override readonly name = "CborError";
}

const indefinite = -1;
const breakByte = 0xff;
/** Maps and arrays within each other; an answer of Kinesis has five. */
const deepest = 32;
const largestHighWord = 0x1f_ffff; // 2 ** 53 - 1 = this, and 32 bits of ones

/**
 * Reads CBOR (RFC 8949) item by item. Byte strings are views of the bytes that are read: nothing is copied, but those that are
 * written in pieces.
 */
export class CborReader {
  readonly #bytes: Buffer;
  #at = 0;
  #depth = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The kind of the next item, by {@link cborKinds}. @throws CborError at the end. */
  get kind(): number {
    return this.#peek() >> 5;
  }

  /** Goes past `null` or `undefined`. @returns whether one of them was next. */
  skipAbsent(): boolean {
    const byte = this.#peek();
    const absent = byte === 0xf6 || byte === 0xf7;
    if (absent) this.#at += 1;
    return absent;
  }

  /** Reads a map: `member` is called before each value, and reads or skips it. */
  members(member: () => void): void {
    this.#items(cborKinds.map, member);
  }

  /** Reads an array: `element` is called before each element, and reads or skips it. */
  elements(element: () => void): void {
    this.#items(cborKinds.array, element);
  }

  /**
   * Goes past the name of a member.
   *
   * @param names what it may be, in ASCII.
   * @returns its place in `names`; -1: it is none of them.
   */
  name(names: readonly Buffer[]): number {
    const length = this.#head(cborKinds.text);
    if (length === indefinite) {
      this.#pieces(cborKinds.text);
      return -1;
    }
    const from = this.#take(length);
    return names.findIndex((name) => name.length === length && this.#matches(name, from));
  }

  /** @throws CborError when the next item is not a text. */
  text(): string {
    const length = this.#head(cborKinds.text);
    if (length === indefinite) return this.#pieces(cborKinds.text).toString("utf8");
    const from = this.#take(length);
    return this.#bytes.toString("utf8", from, from + length);
  }

  /** @returns a view of the bytes. @throws CborError when the next item is not a byte string. */
  bytes(): Buffer {
    const length = this.#head(cborKinds.bytes);
    if (length === indefinite) return this.#pieces(cborKinds.bytes);
    const from = this.#take(length);
    return this.#bytes.subarray(from, from + length);
  }

  /** An integer or a floating-point number, whatever its tag says. @throws CborError when it is neither, or is too large. */
  number(): number {
    this.#skipTags();
    switch (this.kind) {
      case cborKinds.unsigned:
        return this.#head(cborKinds.unsigned);
      case cborKinds.negative:
        return -1 - this.#head(cborKinds.negative);
      default:
        return this.#float();
    }
  }

  /** Any item, as JSON would have it: for what is small and rare. Bytes are as {@link bytes} gives them. */
  value(): unknown {
    this.#skipTags();
    switch (this.kind) {
      case cborKinds.text:
        return this.text();
      case cborKinds.bytes:
        return this.bytes();
      case cborKinds.array: {
        const elements: unknown[] = [];
        this.elements(() => {
          elements.push(this.value());
        });
        return elements;
      }
      case cborKinds.map: {
        const members: [string, unknown][] = [];
        this.members(() => {
          members.push([this.text(), this.value()]);
        });
        return Object.fromEntries(members);
      }
      case cborKinds.simple:
        return this.#simple();
      default:
        return this.number();
    }
  }

  /** Goes past the next item, whatever it is. */
  skip(): void {
    this.#skipTags();
    switch (this.kind) {
      case cborKinds.bytes:
      case cborKinds.text: {
        const { kind } = this;
        const length = this.#head(kind);
        if (length === indefinite) this.#pieces(kind);
        else this.#take(length);
        return;
      }
      case cborKinds.array:
        this.elements(() => this.skip());
        return;
      case cborKinds.map:
        this.members(() => {
          this.skip();
          this.skip();
        });
        return;
      case cborKinds.simple:
        this.#simple();
        return;
      default:
        this.#head(this.kind);
    }
  }

  #skipTags(): void {
    while (this.kind === cborKinds.tag) this.#head(cborKinds.tag);
  }

  #items(kind: number, item: () => void): void {
    const count = this.#head(kind);
    this.#depth += 1;
    if (this.#depth > deepest) throw new CborError(`it is nested more than ${deepest} deep`);
    if (count === indefinite) while (!this.#takeBreak()) item();
    else for (let left = count; left > 0; left -= 1) item();
    this.#depth -= 1;
  }

  /** The pieces of a string of indefinite length, whose head was read. */
  #pieces(kind: number): Buffer {
    const pieces: Buffer[] = [];
    while (!this.#takeBreak()) {
      const length = this.#head(kind);
      if (length === indefinite) throw new CborError("a piece of a string has no length");
      const from = this.#take(length);
      pieces.push(this.#bytes.subarray(from, from + length));
    }
    return Buffer.concat(pieces);
  }

  #takeBreak(): boolean {
    const isBreak = this.#peek() === breakByte;
    if (isBreak) this.#at += 1;
    return isBreak;
  }

  /** Reads the head of an item of `kind`. @returns its number or length; -1: indefinite. */
  #head(kind: number): number {
    const byte = this.#peek();
    if (byte >> 5 !== kind)
      throw new CborError(`there is kind ${byte >> 5} where ${kind} is due, at byte ${this.#at}`);
    this.#at += 1;
    const info = byte & 31;
    if (info < 24) return info;
    switch (info) {
      case 24:
        return this.#bytes.readUInt8(this.#take(1));
      case 25:
        return this.#bytes.readUInt16BE(this.#take(2));
      case 26:
        return this.#bytes.readUInt32BE(this.#take(4));
      case 27: {
        const from = this.#take(8);
        const high = this.#bytes.readUInt32BE(from);
        if (high > largestHighWord) throw new CborError("a number is larger than 2 ** 53 - 1");
        return high * 2 ** 32 + this.#bytes.readUInt32BE(from + 4);
      }
      case 31:
        if (kind >= cborKinds.bytes && kind <= cborKinds.map) return indefinite;
        break;
      default:
    }
    throw new CborError(`byte ${this.#at - 1} begins no item`);
  }

  #float(): number {
    const byte = this.#peek();
    this.#at += 1;
    switch (byte) {
      case 0xf9:
        return half(this.#bytes.readUInt16BE(this.#take(2)));
      case 0xfa:
        return this.#bytes.readFloatBE(this.#take(4));
      case 0xfb:
        return this.#bytes.readDoubleBE(this.#take(8));
      default:
        throw new CborError(`there is no number at byte ${this.#at - 1}`);
    }
  }

  #simple(): unknown {
    const byte = this.#peek();
    switch (byte) {
      case 0xf4:
      case 0xf5:
        this.#at += 1;
        return byte === 0xf5;
      case 0xf6:
      case 0xf7:
        this.#at += 1;
        return byte === 0xf6 ? null : undefined;
      default:
        return this.#float();
    }
  }

  #matches(name: Buffer, from: number): boolean {
    for (let index = 0; index < name.length; index += 1)
      if (this.#bytes[from + index] !== name[index]) return false;
    return true;
  }

  #peek(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new CborError("it ends too soon");
    return byte;
  }

  /** Goes past `length` bytes. @returns where they begin. */
  #take(length: number): number {
    const from = this.#at;
    if (length > this.#bytes.length - from) throw new CborError("it ends too soon");
    this.#at = from + length;
    return from;
  }
}

/** A floating-point number of 16 bits (RFC 8949, appendix D). */
function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1_023;
  const size =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent === 31
        ? fraction === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : (fraction + 1_024) * 2 ** (exponent - 25);
  return bits >> 15 === 1 ? -size : size;
}
