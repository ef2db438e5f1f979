import type { Clock } from "@pulsar-ts-io/core";
import { Once, waitFor } from "../wait.ts";

/** What waits, and can be sent. */
export interface Waiting {
  /** Monotonic time since when; `undefined` when nothing waits. */
  readonly waitingSince: number | undefined;
  flush(): void;
}

/** Sends a batch when its first message has waited for the longest delay. One timer, however many batches fill up before it. */
export class BatchTimer {
  readonly #clock: Clock;
  readonly #maxDelayMs: number;
  #started = new Once<true>();

  constructor(clock: Clock, maxDelayMs: number) {
    this.#clock = clock;
    this.#maxDelayMs = maxDelayMs;
  }

  /** Says that a batch was started. */
  wake(): void {
    this.#started.happen(true);
  }

  async run(former: Waiting, signal: AbortSignal): Promise<void> {
    for (;;) {
      const since = former.waitingSince;
      if (since === undefined) {
        this.#started = new Once();
        await waitFor(this.#started.promise, signal);
        continue;
      }
      const rest = since + this.#maxDelayMs - this.#clock.monotonic();
      if (rest <= 0) former.flush();
      else await this.#clock.sleep(rest, signal);
    }
  }
}
