import type { Clock } from "@pulsar-ts-io/core";

/** Lets any number of waiters sleep until something may have changed. Whoever wakes looks for itself. */
export class WakeUp {
  #waiters: (() => void)[] = [];
  #count = 0;

  /** How often {@link wake} was called: tells whether something happened while nobody waited. */
  get count(): number {
    return this.#count;
  }

  /** Wakes everyone who waits now. Cheap when nobody does. */
  wake(): void {
    this.#count += 1;
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  /** @throws the signal's reason when it aborts first. */
  wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiters = this.#waiters.filter((waiter) => waiter !== onWake);
        reject(signal.reason);
      };
      const onWake = () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiters.push(onWake);
    });
  }
}

/**
 * Sleeps `ms` milliseconds, or until `wakeUp` is woken.
 *
 * @returns whether it was woken.
 * @throws the signal's reason when it aborts first.
 */
export async function sleepUntilWoken(
  clock: Clock,
  ms: number,
  wakeUp: WakeUp,
  signal: AbortSignal,
): Promise<boolean> {
  signal.throwIfAborted();
  const over = new AbortController();
  const onAbort = () => over.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const woken = wakeUp.wait(over.signal).then(() => true);
  const slept = clock.sleep(ms, over.signal).then(() => false);
  try {
    return await Promise.race([woken, slept]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    over.abort();
    await Promise.allSettled([woken, slept]);
  }
}
