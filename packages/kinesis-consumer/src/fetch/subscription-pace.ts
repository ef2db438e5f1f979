import type { Clock } from "@pulsar-ts-io/core";
import { fullJitter } from "./full-jitter.ts";

/** Kinesis allows one SubscribeToShard a second for each shard and consumer. */
const betweenSubscribesMs = 1_000;
/** Within this time after a successful one Kinesis refuses the next. */
const inUseMs = 5_000;
const firstPauseMs = 1_000;
const longestPauseMs = 5_000;

/** When a shard may be subscribed to again. */
export class SubscriptionPace {
  readonly #clock: Clock;
  readonly #random: () => number;
  #nextMs: number;
  #subscribedMs = Number.NEGATIVE_INFINITY;
  #failures = 0;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
    this.#nextMs = clock.monotonic();
  }

  /** How long it is until a subscription may be asked for, milliseconds. */
  get waitMs(): number {
    return Math.max(0, this.#nextMs - this.#clock.monotonic());
  }

  /** Waits until a subscription may be asked for, and counts it as asked for. */
  async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { waitMs } = this;
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
    this.#nextMs = this.#clock.monotonic() + betweenSubscribesMs;
  }

  /** The subscription was granted. */
  subscribed(): void {
    this.#subscribedMs = this.#clock.monotonic();
  }

  /** It brought an event: the trouble is over. */
  heard(): void {
    this.#failures = 0;
  }

  /** It was refused, or broke. */
  failed(): void {
    const pauseMs = fullJitter(firstPauseMs, longestPauseMs, this.#failures, this.#random);
    this.#failures += 1;
    this.#nextMs = Math.max(this.#nextMs, this.#clock.monotonic()) + pauseMs;
  }

  /** Someone else subscribed, or we did a moment ago: it is ours again five seconds after that. */
  inUse(): void {
    this.#nextMs = Math.max(this.#nextMs, this.#subscribedMs + inUseMs);
    this.failed();
  }
}
