import type { Clock } from "@pulsar-ts-io/core";

/** Frames that wait to be confirmed. */
export interface Unconfirmed {
  /** Monotonic time at which the oldest was formed; `undefined` when there is none. */
  readonly oldestSince: number | undefined;
}

/** Says when the oldest unconfirmed frame has waited for the send time-out. */
export class SendTimer {
  readonly #clock: Clock;
  readonly #timeoutMs: number;

  /** @param timeoutMs above 0. */
  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** Runs until `signal` aborts. @throws the signal's reason. */
  async run(window: Unconfirmed, onExpired: () => void, signal: AbortSignal): Promise<void> {
    for (;;) {
      // A frame that comes while this sleeps over an empty window is not due before it wakes.
      const since = window.oldestSince ?? this.#clock.monotonic();
      const rest = since + this.#timeoutMs - this.#clock.monotonic();
      if (rest <= 0) onExpired();
      else await this.#clock.sleep(rest, signal);
    }
  }
}
