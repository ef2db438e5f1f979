import type { Clock } from "@pulsar-ts-io/core";
import { crowdedController } from "@pulsar-ts-io/core";

/** The result of `promise`, unless `signal` aborts first: then its reason. The work behind `promise` goes on. */
export async function waitFor<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  promise.catch(() => undefined); // when the signal is first, nobody looks at it any more
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

/** Runs `work` with a signal that aborts when one of `signals` does. Nothing stays behind on them. */
export async function withEither<T>(
  signals: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  for (const signal of signals) signal.throwIfAborted();
  const stop = crowdedController();
  const listeners = signals.map((signal) => ({ signal, onAbort: () => stop.abort(signal.reason) }));
  for (const { signal, onAbort } of listeners) signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await work(stop.signal);
  } finally {
    for (const { signal, onAbort } of listeners) signal.removeEventListener("abort", onAbort);
  }
}

export interface Deadline {
  readonly clock: Clock;
  readonly ms: number;
  /** Made when the time is up; what `work` is aborted with. */
  readonly error: () => Error;
}

declare const bounded: unique symbol;

/**
 * A signal that aborts within a documented time. Whatever leaves this process takes one, and only {@link withDeadline} makes them:
 * a call without a bound does not compile.
 */
export type BoundedSignal = AbortSignal & { readonly [bounded]: true };

/**
 * Runs `work` with a signal that aborts when `signal` does, or when the time is up. Ends then, also when `work` does not: some
 * calls, such as reading a file of a server that is away, cannot be aborted. What they return later is ignored.
 *
 * @throws what `work` throws; the signal's reason; the deadline's error.
 */
export async function withDeadline<T>(
  deadline: Deadline,
  signal: AbortSignal,
  work: (signal: BoundedSignal) => Promise<T>,
): Promise<T> {
  const time = new AbortController();
  const alarm = deadline.clock.sleep(deadline.ms, time.signal).then(
    () => time.abort(deadline.error()),
    () => undefined, // the work ended first
  );
  try {
    // The alarm aborts it: that is what a bounded signal is.
    return await withEither([signal, time.signal], (either) =>
      waitFor(work(either as BoundedSignal), either),
    );
  } finally {
    time.abort();
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
