import type { Clock } from "@pulsar-ts-io/core";

/** How late an overdue call may be noticed, milliseconds. */
const lookEveryMs = 250;

/** A call that has a deadline. */
interface Entry {
  readonly dueMs: number;
  readonly expire: () => void;
}

/**
 * The deadlines of all calls of a service, watched by one timer: a timer and an abort signal for each of a thousand calls a second
 * cost more than the calls' own work. Nothing is watched while no call is under way.
 */
export class CallDeadlines {
  readonly #clock: Clock;
  readonly #entries = new Set<Entry>();
  readonly #never = new AbortController().signal;
  #watching = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `expire` once `ms` milliseconds have passed, a quarter of a second late at most. @returns what ends the watch. */
  watch(ms: number, expire: () => void): () => void {
    const entry = { dueMs: this.#clock.monotonic() + ms, expire };
    this.#entries.add(entry);
    if (!this.#watching) void this.#run();
    return () => void this.#entries.delete(entry);
  }

  async #run(): Promise<void> {
    this.#watching = true;
    try {
      while (this.#entries.size > 0) {
        await this.#clock.sleep(lookEveryMs, this.#never);
        this.#expire(this.#clock.monotonic());
      }
    } finally {
      // The next call starts the watch again, whatever ended this one.
      this.#watching = false;
    }
  }

  #expire(nowMs: number): void {
    for (const entry of this.#entries) {
      if (entry.dueMs > nowMs) continue;
      this.#entries.delete(entry);
      entry.expire();
    }
  }
}
