import type { Backoff, Clock, ConnectorError, Logger } from "@pulsar-ts-io/core";
import { asConnectorError } from "./verdict.ts";

/** Longest pause while no broker answers: trying to connect costs little, and a broker that is back should be seen soon. */
const maxUnreachableMs = 5_000;
const unreachable = new Set(["PIO_PULSAR_UNREACHABLE", "PIO_PULSAR_CONNECTION_LOST"]);

export interface RetryPolicy {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly backoff: Backoff;
  /** The log line for a failure that is tried again; a failure of the same code is not said again. */
  readonly line: string;
  /** @param pauseMs how long the next try would wait. */
  readonly isFinal: (error: ConnectorError, pauseMs: number) => boolean;
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
  for (let { said } = policy; ; ) {
    try {
      return await attempt();
    } catch (reason) {
      signal.throwIfAborted();
      const error = asConnectorError(reason);
      const pause = unreachable.has(error.code) ? Math.min(backoff.next(), maxUnreachableMs) : backoff.next();
      if (isFinal(error, pause)) throw error;
      if (error.code !== said) logger.warn({ err: error }, line);
      said = error.code;
      await clock.sleep(pause, signal);
    }
  }
}
