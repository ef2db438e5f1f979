/** Protocol Buffers' wire types. A group is obsolete, but its unknown fields are skipped like all others. */
export const wireType = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

/** How deep messages and groups may be nested, and how long a varint may be: what Java's parser allows. */
const maxDepth = 100;
const maxVarintBytes = 10;

/**
 * Reads the fields of one Protocol Buffers message, as strictly and as leniently as Java's parser.
 *
 * It never throws and never copies. What is malformed ends the reading: `next()` is false, and `malformed` stays true.
 */
export class MessageReader {
  readonly #bytes: Uint8Array;
  readonly #depth: number;
  #at = 0;
  #tag = 0;
  #malformed = false;

  /** @param depth how many messages this one is inside of. */
  constructor(bytes: Uint8Array, depth = 0) {
    this.#bytes = bytes;
    this.#depth = depth;
  }

  get malformed(): boolean {
    return this.#malformed;
  }

  /** Moves on to the next field, once the one before it was read or skipped. @returns false at the end. */
  next(): boolean {
    if (this.#malformed || this.#at >= this.#bytes.length) return false;
    this.#tag = this.varint();
    // Field 0 does not exist; the end of a group that did not begin here is none of this message.
    if (this.#tag >>> 3 === 0 || this.wireType === wireType.endGroup) this.#fail();
    return !this.#malformed;
  }

  get field(): number {
    return this.#tag >>> 3;
  }

  get wireType(): number {
    return this.#tag & 7;
  }

  /** Whether the field is this one in this form. In another form a known field is an unknown one. */
  is(field: number, type: number): boolean {
    return this.#tag === ((field << 3) | type);
  }

  /** The lower 32 bits, signed: Java uses no more of a length, a tag or an index. */
  varint(): number {
    const bytes = this.#bytes;
    let value = 0;
    for (let index = 0; index < maxVarintBytes; index += 1) {
      const byte = bytes[this.#at];
      if (byte === undefined) return this.#fail();
      this.#at += 1;
      if (index < 5) value |= (byte & 0x7f) << (7 * index);
      if (byte < 0x80) return value;
    }
    return this.#fail();
  }

  /** The very memory of the message. */
  bytes(): Uint8Array {
    const start = this.#advance(this.varint());
    return this.#bytes.subarray(start, this.#at);
  }

  /** The message in this field. */
  message(): MessageReader {
    return new MessageReader(this.bytes(), this.#depth + 1);
  }

  skip(): void {
    const groups: number[] = [];
    for (;;) {
      this.#skipValue(groups);
      if (groups.length === 0 || this.#malformed) return;
      this.#tag = this.varint();
      if (this.#tag >>> 3 === 0) this.#fail();
    }
  }

  /** @param groups the fields whose groups have begun and not ended. */
  #skipValue(groups: number[]): void {
    switch (this.wireType) {
      case wireType.varint:
        this.varint();
        break;
      case wireType.fixed64:
        this.#advance(8);
        break;
      case wireType.bytes:
        this.#advance(this.varint());
        break;
      case wireType.startGroup:
        if (this.#depth + groups.length >= maxDepth) this.#fail();
        groups.push(this.field);
        break;
      case wireType.endGroup:
        if (groups.pop() !== this.field) this.#fail();
        break;
      case wireType.fixed32:
        this.#advance(4);
        break;
      default:
        this.#fail();
    }
  }

  /** @returns where the `count` bytes begin. */
  #advance(count: number): number {
    const start = this.#at;
    if (count < 0 || count > this.#bytes.length - start) return this.#fail();
    this.#at += count;
    return start;
  }

  #fail(): 0 {
    this.#malformed = true;
    this.#at = this.#bytes.length;
    return 0;
  }
}
