import type { Clock } from "@pulsar-ts-io/core";

/**
 * Runs `work` for at most `ms` milliseconds.
 *
 * Its signal aborts when the time is up; work that goes on all the same is no longer waited for.
 *
 * @returns whether it ended in time. @throws what `work` threw in time.
 */
export async function endedWithin(
  clock: Clock,
  ms: number,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<boolean> {
  const expired = new AbortController();
  const ended = new AbortController();
  const timeout = clock.sleep(ms, ended.signal).then(
    () => false,
    () => true,
  );
  const job = work(expired.signal).then(() => true);
  try {
    const inTime = await Promise.race([job, timeout]);
    if (inTime) return true;
    // Its end no longer matters to anyone, its failure neither.
    job.catch(() => undefined);
    expired.abort(new Error(`not done within ${ms} ms`));
    return false;
  } finally {
    ended.abort(new Error("the work has ended"));
  }
}

/** Resolves when `signal` aborts. For signals that end with their listener: it is never taken off. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
