export interface BackoffOptions {
  /** First delay in milliseconds. */
  readonly initialMs: number;
  /** Longest delay in milliseconds. */
  readonly maxMs: number;
  /** A number in [0, 1); default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Delays that double from `initialMs` to `maxMs`, each drawn evenly from its upper half,
 * so that many clients which failed together do not come back together.
 */
export class Backoff {
  readonly #initialMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #attempts = 0;

  constructor(options: BackoffOptions) {
    if (!(options.initialMs > 0 && options.maxMs >= options.initialMs)) {
      throw new RangeError(
        `back-off needs 0 < initialMs <= maxMs, got ${options.initialMs} and ${options.maxMs}`,
      );
    }
    this.#initialMs = options.initialMs;
    this.#maxMs = options.maxMs;
    this.#random = options.random ?? Math.random;
  }

  /** Delays given since the last {@link reset}. */
  get attempts(): number {
    return this.#attempts;
  }

  /**
   * The next delay in milliseconds.
   *
   * @param maxMs longest delay of this call, where it is shorter than that of the options.
   */
  next(maxMs: number = this.#maxMs): number {
    const ceiling = Math.min(this.#maxMs, maxMs, this.#initialMs * 2 ** Math.min(this.#attempts, 30));
    this.#attempts += 1;
    return ceiling / 2 + (ceiling / 2) * this.#random();
  }

  /** Starts over after a success. */
  reset(): void {
    this.#attempts = 0;
  }
}
