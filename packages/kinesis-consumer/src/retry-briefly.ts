import { Backoff, type Clock, isRetryable } from "@pulsar-ts-io/core";

const firstPauseMs = 200;
const longestPauseMs = 1_000;

/** Tries again what may heal, for `forMs` after the first attempt at most. @throws the last failure; what cannot heal at once. */
export async function retryBriefly<T>(
  clock: Clock,
  options: { readonly forMs: number; readonly signal: AbortSignal },
  attempt: () => Promise<T>,
): Promise<T> {
  const { forMs, signal } = options;
  const deadline = clock.monotonic() + forMs;
  const pause = new Backoff({ initialMs: firstPauseMs, maxMs: longestPauseMs });
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      const waitMs = pause.next();
      if (!isRetryable(error) || clock.monotonic() + waitMs > deadline) throw error;
      await clock.sleep(waitMs, signal);
    }
  }
}
