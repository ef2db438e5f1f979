import type { Clock } from "@pulsar-ts-io/core";

/** How late an overdue call may be noticed, milliseconds. */
const lookEveryMs = 250;
const neverAborted = new AbortController().signal;

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
    while (this.#entries.size > 0) {
      await this.#clock.sleep(lookEveryMs, neverAborted);
      const nowMs = this.#clock.monotonic();
      for (const entry of this.#entries) {
        if (entry.dueMs > nowMs) continue;
        this.#entries.delete(entry);
        entry.expire();
      }
    }
    this.#watching = false;
  }
}
