import type { SeededRandom } from "../../../../test/harness/seeded-random.ts";
import { crc32c } from "../../src/wire/crc32c.ts";
import { type FrameParts, frameSeeds } from "./frame-seeds.ts";

/** Bytes that decoders trip over: edges of varints, tags of each wire type, -1, numbers beyond 2^32 and 2^53. */
const oddBytes: readonly Buffer[] = [
  "00", "01", "7f", "80", "ff", "8001", "ffffffff0f", "80808080808001", "ffffffffffffff1f",
  "ffffffffffffffffff01", "80808080808080808001", "ffffffffffffffffffffff", "fcffffffffffffffff01",
  "08", "0a", "0d", "09", "0b", "0f", "fa0600", "7fffffff", "80000000", "ffffffff",
].map((hex) => Buffer.from(hex, "hex")); // biome-ignore format: a table of bytes

const seeds = frameSeeds();

/** Makes frames that are almost those of a broker: the same seed makes the same frames. */
export class FrameFuzzer {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** One frame: a broker's, with some of its parts changed, and most often with lengths and checksum that fit again. */
  frame(): Buffer {
    const { command, metadata, payload } = this.#seed();
    if (metadata === undefined || payload === undefined) {
      return this.#framed(this.#perhapsChanged(command, 0.8), this.#rest());
    }
    const entry = this.#entry(this.#perhapsChanged(metadata, 0.5), this.#perhapsChanged(payload, 0.5));
    return this.#framed(this.#perhapsChanged(command, 0.1), entry);
  }

  /** `stream` cut into pieces as a network might: whole, in halves, byte by byte. */
  *chunks(stream: Buffer): Generator<Buffer> {
    const longest = this.#random.integer(0, 3) === 0 ? stream.length : this.#random.integer(1, 40);
    for (let at = 0; at < stream.length; ) {
      const end = Math.min(stream.length, at + this.#random.integer(1, longest));
      yield stream.subarray(at, end);
      at = end;
    }
  }

  #seed(): FrameParts {
    return this.#pick(seeds);
  }

  #rest(): Buffer {
    return this.#sometimes(0.1) ? this.#random.bytes(this.#random.integer(0, 40)) : Buffer.alloc(0);
  }

  /** What follows the command of a MESSAGE. */
  #entry(metadata: Buffer, payload: Buffer): Buffer {
    const sized = Buffer.alloc(4 + metadata.length);
    sized.writeUInt32BE(this.#length(metadata.length), 0);
    sized.set(metadata, 4);
    const content = Buffer.concat([sized, payload]);
    const broker = this.#sometimes(0.1) ? this.#brokerMetadata() : Buffer.alloc(0);
    if (this.#sometimes(0.1)) return Buffer.concat([broker, content]);
    const check = Buffer.from([0x0e, 0x01, 0, 0, 0, 0]);
    check.writeUInt32BE(this.#sometimes(0.02) ? 1 : crc32c(content, 0), 2);
    return Buffer.concat([broker, check, content]);
  }

  #brokerMetadata(): Buffer {
    const bytes = Buffer.from([0x0e, 0x02, 0, 0, 0, 2, 0x10, 0x05]);
    bytes.writeUInt32BE(this.#length(2), 2);
    return bytes;
  }

  #framed(command: Buffer, rest: Buffer): Buffer {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(this.#length(4 + command.length + rest.length), 0);
    head.writeUInt32BE(this.#length(command.length), 4);
    const frame = Buffer.concat([head, command, rest]);
    return this.#perhapsChanged(frame, 0.02);
  }

  /** Mostly the right one. */
  #length(right: number): number {
    if (!this.#sometimes(0.02)) return right;
    return (
      this.#pick([0, 3, 4, right - 1, right + 1, right * 2, 5_253_120, 5_253_121, 0x7fffffff, 0xffffffff]) >>>
      0
    );
  }

  #perhapsChanged(bytes: Buffer, probability: number): Buffer {
    return this.#sometimes(probability) ? this.#changed(bytes) : bytes;
  }

  #changed(bytes: Buffer): Buffer {
    let result = this.#edited(bytes);
    while (this.#sometimes(0.3)) result = this.#edited(result);
    return result;
  }

  #edited(bytes: Buffer): Buffer {
    const at = this.#random.integer(0, bytes.length);
    const end = Math.min(bytes.length, at + this.#random.integer(0, 12));
    const [before, cut, after] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
    switch (this.#random.integer(0, 6)) {
      case 0:
        return flipped(bytes, this.#random.integer(0, Math.max(0, bytes.length * 8 - 1)));
      case 1:
        return Buffer.concat([before, after]);
      case 2:
        return Buffer.concat([before, cut, cut, after]);
      case 3:
        return Buffer.concat([before, this.#pick(oddBytes), after]);
      case 4:
        return Buffer.concat([before, this.#pick(oddBytes), cut, after]);
      case 5:
        return Buffer.concat([before, this.#random.bytes(cut.length), after]);
      default:
        return Buffer.concat([before, this.#slice(), after]);
    }
  }

  /** A part of another seed. */
  #slice(): Buffer {
    const { command, metadata, payload } = this.#seed();
    const from = this.#pick([command, metadata ?? command, payload ?? command]);
    const start = this.#random.integer(0, from.length);
    return from.subarray(start, start + this.#random.integer(0, 30));
  }

  #sometimes(probability: number): boolean {
    return this.#random.next() < probability;
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#random.integer(0, items.length - 1)] as T; // none of the lists is empty
  }
}

function flipped(bytes: Buffer, bit: number): Buffer {
  const result = Buffer.from(bytes);
  const at = bit >>> 3;
  if (at < result.length) result[at] = (result[at] ?? 0) ^ (1 << (bit & 7));
  return result;
}
