import type { Backoff, Clock, ConnectorError, Logger } from "@pulsar-ts-io/core";
import { asConnectorError } from "./verdict.ts";

/** Longest pause between two tries, milliseconds. The cause of a failure may end at any time; the next try notices it. */
export const longestPauseMs = 10_000;

/**
 * Longest pauses after failures that end all of a sudden, milliseconds. Trying to connect costs little, and a broker that is back
 * should be seen soon; so should a producer's name that is free again, 5 s after its holder fell silent.
 */
const maxPauses: ReadonlyMap<string, number> = new Map([
  ["PIO_PULSAR_UNREACHABLE", 5_000],
  ["PIO_PULSAR_CONNECTION_LOST", 5_000],
  ["PIO_BROKER_LIMIT", 5_000],
  // Each of these has waited for its answer already.
  ["PIO_PULSAR_TIMEOUT", 1_000],
  ["PIO_PRODUCER_BUSY", 1_000],
]);

export interface RetryPolicy {
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** Called with each failure that is retried. */
  readonly onFailed: (error: ConnectorError) => void;
  /** @param pauseMs how long the next try would wait. @param sameForMs since when every try has failed by the same code. */
  readonly isFinal: (error: ConnectorError, pauseMs: number, sameForMs: number) => boolean;
}

/** Logs each failure whose code differs from that of the one before it. */
export function warnOfEachCode(logger: Logger, line: string): (error: ConnectorError) => void {
  let logged: string | undefined;
  return (error) => {
    if (error.code !== logged) logger.warn({ err: error }, line);
    logged = error.code;
  };
}

/** Tries until it succeeds or the failure is final. @throws the final failure, the signal's reason. */
export async function retrying<T>(
  policy: RetryPolicy,
  signal: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  const { clock, backoff, onFailed, isFinal } = policy;
  let last: { readonly code: string; readonly since: number } | undefined;
  for (;;) {
    try {
      return await attempt();
    } catch (reason) {
      signal.throwIfAborted();
      const error = asConnectorError(reason);
      const pause = Math.min(backoff.next(), maxPauses.get(error.code) ?? Number.POSITIVE_INFINITY);
      const now = clock.monotonic();
      if (last?.code !== error.code) last = { code: error.code, since: now };
      if (isFinal(error, pause, now - last.since)) throw error;
      onFailed(error);
      await clock.sleep(pause, signal);
    }
  }
}
