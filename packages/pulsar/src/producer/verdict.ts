import { ConnectorError, codeOf, hasCode, isRetryable, toError } from "@pulsar-ts-io/core";
import { PublishDefectError } from "../errors.ts";

/** Failures that a person can mend while we wait: new credentials, a granted right, a renewed certificate, another proxy. */
const mendable = new Set([
  "PIO_PULSAR_AUTHENTICATION",
  "PIO_PULSAR_AUTHORIZATION",
  "PIO_INVALID_AUTHENTICATION",
  "PIO_PULSAR_TLS",
  "PIO_PULSAR_PROTOCOL",
]);

/**
 * Whether a producer that was open once gives up after `error`.
 *
 * Only on what no waiting changes. A topic that is not found may be in the middle of a move: that is given `patienceMs`.
 *
 * @param lostForMs how long the producer has been without a broker.
 */
export function isFinalAfterOpen(error: ConnectorError, lostForMs: number, patienceMs: number): boolean {
  if (mendable.has(error.code)) return false;
  if (hasCode(error, "PIO_TOPIC_NOT_FOUND")) return lostForMs >= patienceMs;
  return !isRetryable(error);
}

/** `error` as a coded one. What has no code is a defect of ours, and final. */
export function asConnectorError(error: unknown): ConnectorError {
  if (error instanceof ConnectorError) return error;
  return new PublishDefectError(`publishing failed: ${toError(error).message}`, {
    cause: error,
    details: { code: codeOf(error) },
    remedy: "report this as a defect, with the log around it",
  });
}
