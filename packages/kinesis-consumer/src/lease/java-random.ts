const multiplier = 0x5deece66dn;
const increment = 0xbn;
const mask = 2n ** 48n - 1n;

/** `java.util.Random`: the same numbers for the same seed, for choices that must come out as they do in KCL. */
export class JavaRandom {
  #state: bigint;

  constructor(seed: number) {
    this.#state = (BigInt(seed) ^ multiplier) & mask;
  }

  /** A whole number from 0 to below `bound`, which is 1 to 2^31 - 1. */
  nextInt(bound: number): number {
    const bits = this.#next(31);
    if ((bound & (bound - 1)) === 0) return Number((BigInt(bound) * BigInt(bits)) >> 31n);
    for (let tried = bits; ; tried = this.#next(31)) {
      const value = tried % bound;
      // The rest of the range that has no room for all remainders would favour the small ones.
      if (tried - value + (bound - 1) < 2 ** 31) return value;
    }
  }

  #next(bits: number): number {
    this.#state = (this.#state * multiplier + increment) & mask;
    return Number(this.#state >> BigInt(48 - bits));
  }
}
