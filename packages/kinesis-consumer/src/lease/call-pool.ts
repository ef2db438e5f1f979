import type { Clock } from "@pulsar-ts-io/core";

/** Calls under way at once: at 30 ms a call about 1,000 a second. */
const mostAtOnce = 32;
/** Calls under way at once while the table or this process is slow. */
const fewestAtOnce = 4;
/** A call that takes longer is slow: it halves how many are under way at once. */
const slowCallMs = 1_000;

export interface CallPoolOptions {
  readonly clock: Clock;
  /** Awaited before each call: holds up those that have not begun, not those under way. */
  readonly standBack?: (signal: AbortSignal) => Promise<void>;
}

/**
 * Makes one call for each of many leases, in order, a bounded number at once. Each call that ends makes room for the next: a slow
 * one delays no other.
 *
 * A slow call halves the bound, once for all the calls that were under way together. Each fast call raises it by one.
 */
export class CallPool {
  readonly #options: CallPoolOptions;
  #atOnce = mostAtOnce;
  #halvedMs = Number.NEGATIVE_INFINITY;

  constructor(options: CallPoolOptions) {
    this.#options = options;
  }

  /**
   * Calls `call` for each of `items`. After a failed call, and once `signal` aborts, no further call begins.
   *
   * @throws the first error of a call, or the signal's reason, when no call is under way any more.
   */
  async each<T>(items: readonly T[], call: (item: T) => Promise<void>, signal: AbortSignal): Promise<void> {
    const underway = new Set<Promise<void>>();
    const errors: unknown[] = [];
    const begin = (item: T) => {
      const ended = this.#timed(() => call(item))
        .catch((error: unknown) => {
          errors.push(error);
        })
        .then(() => {
          underway.delete(ended);
        });
      underway.add(ended);
    };
    try {
      for (const item of items) {
        while (underway.size >= this.#atOnce) await Promise.race(underway);
        signal.throwIfAborted();
        await this.#options.standBack?.(signal);
        if (errors.length > 0) break;
        begin(item);
      }
    } finally {
      await Promise.all(underway);
    }
    if (errors.length > 0) throw errors[0];
  }

  async #timed(call: () => Promise<void>): Promise<void> {
    const { clock } = this.#options;
    const sentMs = clock.monotonic();
    try {
      await call();
    } finally {
      this.#adapt(sentMs, clock.monotonic());
    }
  }

  #adapt(sentMs: number, endedMs: number): void {
    if (endedMs - sentMs <= slowCallMs) {
      this.#atOnce = Math.min(mostAtOnce, this.#atOnce + 1);
    } else if (sentMs >= this.#halvedMs) {
      this.#halvedMs = endedMs;
      this.#atOnce = Math.max(fewestAtOnce, Math.floor(this.#atOnce / 2));
    }
  }
}
