import type { Backoff, Clock, ConnectorError, Logger } from "@pulsar-ts-io/core";
import { asConnectorError } from "./verdict.ts";

/**
 * Longest pauses after failures that end all of a sudden, milliseconds. Trying to connect costs little, and a broker that is back
 * should be seen soon; so should a producer's name that is free again, 5 s after its holder fell silent.
 */
const maxPauses: ReadonlyMap<string, number> = new Map([
  ["PIO_PULSAR_UNREACHABLE", 5_000],
  ["PIO_PULSAR_CONNECTION_LOST", 5_000],
  ["PIO_BROKER_LIMIT", 5_000],
  ["PIO_PRODUCER_BUSY", 1_000],
]);

export interface RetryPolicy {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly backoff: Backoff;
  /** The log line for a failure that is tried again; a failure of the same code is not said again. */
  readonly line: string;
  /** @param pauseMs how long the next try would wait. @param sameForMs since when every try has failed by the same code. */
  readonly isFinal: (error: ConnectorError, pauseMs: number, sameForMs: number) => boolean;
  /** Code of the failure that was said already. */
  readonly said?: string | undefined;
}

/** Tries until it succeeds or the failure is final. @throws the final failure, the signal's reason. */
export async function retrying<T>(
  policy: RetryPolicy,
  signal: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  const { clock, logger, backoff, line, isFinal } = policy;
  let last: { readonly code: string; readonly since: number } | undefined;
  for (let { said } = policy; ; ) {
    try {
      return await attempt();
    } catch (reason) {
      signal.throwIfAborted();
      const error = asConnectorError(reason);
      const pause = Math.min(backoff.next(), maxPauses.get(error.code) ?? Number.POSITIVE_INFINITY);
      const now = clock.monotonic();
      if (last?.code !== error.code) last = { code: error.code, since: now };
      if (isFinal(error, pause, now - last.since)) throw error;
      if (error.code !== said) logger.warn({ err: error }, line);
      said = error.code;
      await clock.sleep(pause, signal);
    }
  }
}
