/** Lets any number of waiters sleep until something may have changed. Whoever wakes looks for itself. */
export class WakeUp {
  #waiters: (() => void)[] = [];

  /** Wakes everyone who waits now. Cheap when nobody does. */
  wake(): void {
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
