import { Backoff, type Clock, isRetryable, type Outage } from "@pulsar-ts-io/core";
import type { WaitingSigns } from "./shard/waiting-signs.ts";

const firstPauseMs = 200;
const longestBriefPauseMs = 1_000;
const longestPauseMs = 5_000;

/** Tries again what may heal, for `forMs` after the first attempt at most. @throws the last failure; what cannot heal at once. */
export async function retryBriefly<T>(
  options: { readonly clock: Clock; readonly forMs: number; readonly signal: AbortSignal },
  attempt: () => Promise<T>,
): Promise<T> {
  const { clock, forMs, signal } = options;
  const deadline = clock.monotonic() + forMs;
  const pause = new Backoff({ initialMs: firstPauseMs, maxMs: longestBriefPauseMs });
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

/** Tries again what may heal until it does, saying so once. @throws what cannot heal. */
export async function retryUntilDone<T>(
  options: {
    readonly clock: Clock;
    readonly outage: Outage;
    /** Who tries, for {@link Outage}. */
    readonly key: string;
    readonly signal: AbortSignal;
    /** Told of each attempt: who watches them learns of one that is never answered. */
    readonly signs?: WaitingSigns;
  },
  attempt: () => Promise<T>,
): Promise<T> {
  const { clock, outage, key, signal, signs } = options;
  const pause = new Backoff({ initialMs: firstPauseMs, maxMs: longestPauseMs });
  try {
    for (;;) {
      try {
        const result = await whileCalling(attempt, signs, signal);
        outage.recovered(key);
        return result;
      } catch (error) {
        signal.throwIfAborted();
        if (!isRetryable(error)) throw error;
        outage.failed(key, error);
        await clock.sleep(pause.next(), signal);
      }
    }
  } finally {
    outage.left(key);
  }
}

async function whileCalling<T>(
  attempt: () => Promise<T>,
  signs: WaitingSigns | undefined,
  signal: AbortSignal,
): Promise<T> {
  signs?.calling();
  try {
    return await attempt();
  } finally {
    // What was given up and answers after all says nothing of the attempt that has taken its place.
    if (!signal.aborted) signs?.waiting();
  }
}
