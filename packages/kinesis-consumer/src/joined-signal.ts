import { type Clock, crowdedController } from "@pulsar-ts-io/core";

/**
 * A signal that aborts with the first of `signals`; disposing it lets go of them.
 *
 * Node 20's `AbortSignal.any` keeps memory for as long as the longest-lived of its signals.
 */
export class JoinedSignal implements Disposable {
  readonly #controller = crowdedController();
  readonly #signals: readonly AbortSignal[];

  constructor(...signals: readonly AbortSignal[]) {
    this.#signals = signals;
    for (const signal of signals) {
      if (signal.aborted) this.#controller.abort(signal.reason);
      else signal.addEventListener("abort", this.#onAbort);
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const signal of this.#signals) signal.removeEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (event: Event): void => {
    if (event.target instanceof AbortSignal) this.#controller.abort(event.target.reason);
  };
}

/** Waits until `signal` aborts. Never rejects. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/**
 * Waits for `promise`, and no longer than until `signal` aborts, whether or not those who will settle it heed the signal.
 *
 * @throws the signal's reason when it aborts first.
 */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** Waits for `work`, for `ms` milliseconds at most and until `signal` aborts. Never rejects. @param work is told when its time is over. */
export async function within(
  ms: number,
  clock: Clock,
  work: (signal: AbortSignal) => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  using joined = new JoinedSignal(signal, over.signal);
  const late = clock.sleep(ms, joined.signal);
  await Promise.race([work(joined.signal), late]).catch(() => {});
  over.abort();
  await late.catch(() => {});
}
