import type { Clock } from "@pulsar-ts-io/core";

/** The longest time whose records are made up for, when whoever takes them paused. */
const catchUpMs = 1_000;

/** Lets so many records pass each second, and no more. */
export class Pace {
  readonly #perMs: number;
  readonly #clock: Clock;
  #startedAt: number;
  #passed = 0;

  /** @param perSecond 0: all of them. */
  constructor(perSecond: number, clock: Clock) {
    this.#perMs = perSecond / 1_000;
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
  }

  /** Whether the next one is due; if so, it has passed. */
  pass(): boolean {
    if (this.#perMs === 0) return true;
    const behindMs = this.#clock.monotonic() - this.#dueAt;
    if (behindMs < 0) return false;
    if (behindMs > catchUpMs) this.#startedAt += behindMs - catchUpMs;
    this.#passed += 1;
    return true;
  }

  /** Waits until the next one is due. */
  async wait(signal: AbortSignal): Promise<void> {
    while (!this.pass()) await this.#clock.sleep(this.#dueAt - this.#clock.monotonic(), signal);
  }

  get #dueAt(): number {
    return this.#startedAt + this.#passed / this.#perMs;
  }
}
