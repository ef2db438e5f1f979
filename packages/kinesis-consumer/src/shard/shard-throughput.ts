import type { Clock } from "@pulsar-ts-io/core";

/**
 * How much of a shard is delivered, measured as KCL 3 does it for its leader, who spreads the load by it: the mean of each interval
 * between two renewals, and half of it what it was before.
 *
 * @see LeaseStatsRecorder in KCL 3
 */
export class ShardThroughput {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  #sinceMs: number;
  #bytes = 0;
  #kBps: number | undefined;

  /** @param options.intervalMs what is measured more often than that stays as it was. */
  constructor(options: { readonly clock: Clock; readonly intervalMs: number }) {
    this.#clock = options.clock;
    this.#intervalMs = options.intervalMs;
    this.#sinceMs = options.clock.monotonic();
  }

  delivered(bytes: number): void {
    this.#bytes += bytes;
  }

  /** KiB a second; `undefined` before the first interval is over. */
  measure(): number | undefined {
    const now = this.#clock.monotonic();
    const ms = now - this.#sinceMs;
    if (ms < this.#intervalMs) return this.#kBps;
    const latest = this.#bytes / 1_024 / (ms / 1_000);
    this.#kBps = this.#kBps === undefined ? latest : (this.#kBps + latest) / 2;
    this.#bytes = 0;
    this.#sinceMs = now;
    return this.#kBps;
  }
}
