/**
 * Random numbers of one record: the same for the same seed, partition and sequence, whatever was made before.
 *
 * For test data: not for secrets.
 *
 * @see mulberry32, and splitmix32 for the start
 */
export class RecordRandom {
  #state: number;

  constructor(seed: number, partition: number, sequence: number) {
    let state = 0;
    for (const part of [seed, partition, sequence]) {
      // Both halves count: a sequence may exceed 2^32.
      state = mix(state ^ (part >>> 0));
      state = mix(state ^ (Math.floor(part / 4_294_967_296) >>> 0));
    }
    this.#state = state;
  }

  /** 32 random bits. */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** At least 0, less than 1. */
  fraction(): number {
    return this.bits() / 4_294_967_296;
  }

  /** A whole number from `from` to `to`, both included. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.fraction() * (to - from + 1));
  }

  bytes(length: number): Uint8Array {
    const words = new Uint32Array(Math.ceil(length / 4));
    for (let index = 0; index < words.length; index += 1) words[index] = this.bits();
    return new Uint8Array(words.buffer, 0, length);
  }
}

function mix(value: number): number {
  let mixed = (value + 0x9e3779b9) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return mixed ^ (mixed >>> 15);
}
