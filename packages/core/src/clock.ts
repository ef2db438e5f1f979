import { setTimeout as delay } from "node:timers/promises";

/** Time, as everything in this project sees it, so that tests can skip it. */
export interface Clock {
  /** Wall time in milliseconds since the epoch. For stamps that others read; never for measuring. */
  now(): number;
  /** Milliseconds of a clock that never goes back. For deadlines and durations. */
  monotonic(): number;
  /**
   * Waits `ms` milliseconds; zero or less yields once.
   *
   * @throws the signal's reason, at once, when `signal` is or becomes aborted.
   */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The real clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    signal.throwIfAborted();
    try {
      await delay(Math.max(0, ms), undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  },
};
