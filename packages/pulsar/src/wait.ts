import type { Clock } from "@pulsar-ts-io/core";

/** The result of `promise`, unless `signal` aborts first: then its reason. The work behind `promise` goes on. */
export async function waitFor<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
  }
}

export interface Deadline {
  readonly clock: Clock;
  readonly ms: number;
  /** Made when the time is up; what `work` is aborted with. */
  readonly error: () => Error;
}

/**
 * Runs `work` with a signal that aborts when `signal` does, or when the time is up.
 *
 * `work` must end when its signal aborts, by throwing the signal's reason.
 */
export async function withDeadline<T>(
  deadline: Deadline,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const alarm = deadline.clock.sleep(deadline.ms, stop.signal).then(
    () => stop.abort(deadline.error()),
    () => undefined, // the work ended first
  );
  try {
    return await work(stop.signal);
  } finally {
    signal.removeEventListener("abort", onAbort);
    stop.abort();
    await alarm;
  }
}

/** Something that happens once, and that many may wait for. */
export class Once<T> {
  readonly promise: Promise<T>;
  #resolve: (value: T) => void = () => undefined;
  #value: T | undefined;

  constructor() {
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** What happened; `undefined` as long as nothing did. */
  get value(): T | undefined {
    return this.#value;
  }

  /** The first call counts. */
  happen(value: T): void {
    this.#value ??= value;
    this.#resolve(value);
  }
}
