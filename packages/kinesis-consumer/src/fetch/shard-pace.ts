import type { Clock } from "@pulsar-ts-io/core";

/** Kinesis allows 5 calls a second and shard, for all applications together: one is left to the others. */
const callsPerSecond = 4;
const throttledCallsPerSecond = 1;
const throttledForMs = 30_000;
/** Kinesis gives out 2 MB a second and shard; an answer of 10 MB blocks the shard for 5 s. */
const bytesPerMs = 2_000;
/** A reader that is woken so much too late shares its process with more work than there is time for. */
const lateMs = 250;
/** It then leaves the others this many times as long. */
const lateFactor = 4;
const longestLatePauseMs = 10_000;
/** Woken later than this, the process was suspended, and there is time now. */
const suspendedMs = 5_000;

/** When a shard may be asked again: Kinesis' limits, and the idle time once nothing is left to read. */
export class ShardPace {
  readonly #clock: Clock;
  readonly #idleMs: number;
  #nextMs: number;
  #slowUntilMs: number;

  /** @param idleMs between calls when nothing is left to read; 200 at least, by Kinesis' limits. */
  constructor(clock: Clock, idleMs: number) {
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#nextMs = clock.monotonic();
    this.#slowUntilMs = this.#nextMs;
  }

  /** How long it is until the next call may be sent, milliseconds. */
  get waitMs(): number {
    return Math.max(0, this.#nextMs - this.#clock.monotonic());
  }

  /** Waits until the next call may be sent; longer in a process that is late, so that it has time for its renewals. */
  async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { waitMs } = this;
    if (waitMs <= 0) return;
    await this.#clock.sleep(waitMs, signal);
    const late = this.#clock.monotonic() - this.#nextMs;
    if (late < lateMs || late > suspendedMs) return;
    await this.#clock.sleep(Math.min(lateFactor * late, longestLatePauseMs), signal);
  }

  /** A call is being sent. */
  called(): void {
    const now = this.#clock.monotonic();
    const perSecond = now < this.#slowUntilMs ? throttledCallsPerSecond : callsPerSecond;
    this.#nextMs = now + 1_000 / perSecond;
  }

  /** It brought `bytes`; `caughtUp`: nothing is left to read. */
  answered(bytes: number, caughtUp: boolean): void {
    const now = this.#clock.monotonic();
    const pauseMs = Math.max(bytes / bytesPerMs, caughtUp ? this.#idleMs : 0);
    this.#nextMs = Math.max(this.#nextMs, now + pauseMs);
  }

  /** It was throttled. */
  throttled(): void {
    this.#slowUntilMs = this.#clock.monotonic() + throttledForMs;
  }
}
