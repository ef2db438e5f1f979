import { ConnectorError, codeOf, hasCode, isRetryable, toError } from "@pulsar-ts-io/core";
import { brokerError, serverErrors } from "../connection/server-error.ts";
import { PublishDefectError } from "../errors.ts";
import type { Commands } from "../wire/command-types.ts";
import { checksumHolds } from "../wire/send-frame.ts";
import { messageChanged, messageRefused } from "./message-failure.ts";
import type { PendingFrame } from "./pending-window.ts";

/** Failures that a person can mend while we wait: new credentials, a granted right, a renewed certificate, another proxy. */
const mendable = new Set([
  "PIO_PULSAR_AUTHENTICATION",
  "PIO_PULSAR_AUTHORIZATION",
  "PIO_INVALID_AUTHENTICATION",
  "PIO_PULSAR_TLS",
  "PIO_PULSAR_PROTOCOL",
]);

/** A broker that holds a dead connection of ours for alive drops it by then: two of its keep-alive rounds, and time to spare. */
const ghostMs = 90_000;

/** A producer that was open once, and is not. */
export interface LostProducer {
  /** How long the broker has said the same: without a broker before that, nobody could say it. */
  readonly refusedForMs: number;
  /** How long a topic that is not found is waited for: it may be in the middle of a move. */
  readonly patienceMs: number;
  readonly name: string | undefined;
}

/** Whether a producer that was open once gives up after `error`: only on what no waiting changes. */
export function isFinalAfterOpen(error: ConnectorError, producer: LostProducer): boolean {
  const { refusedForMs, patienceMs, name } = producer;
  if (mendable.has(error.code)) return false;
  if (hasCode(error, "PIO_TOPIC_NOT_FOUND")) return refusedForMs >= patienceMs;
  // The one that has the topic for himself is we, over a connection that the broker does not know to be dead.
  if (hasCode(error, "PIO_PRODUCER_FENCED") && error.details["holder"] === name)
    return refusedForMs >= ghostMs;
  return !isRetryable(error);
}

/** What a producer that opens again waits for, for ever or for some time: so it opens again. */
function isWaitedFor(error: ConnectorError): boolean {
  return mendable.has(error.code) || hasCode(error, "PIO_TOPIC_NOT_FOUND");
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

/** What a SEND_ERROR means. */
export type SendVerdict =
  /** Nothing can be published any more. */
  | { readonly kind: "final"; readonly error: ConnectorError }
  /** Only that frame is lost. */
  | { readonly kind: "frame"; readonly error: ConnectorError }
  /** The producer must be opened again, and everything be sent again. */
  | { readonly kind: "reopen"; readonly error: ConnectorError };

/** @param frame what the error is about, when it is still pending. */
export function judgeSendError(
  failure: Commands["sendError"],
  topic: string,
  frame: PendingFrame | undefined,
): SendVerdict {
  const error = brokerError(failure, `a message to ${topic}`, "send");
  const messages = frame?.deliveries.length ?? 1;
  switch (failure.error) {
    case serverErrors.topicTerminated:
      return { kind: "final", error };
    case serverErrors.notAllowed:
      return { kind: "frame", error: messageRefused(error, messages) };
    case serverErrors.checksum:
      // Harmed on the way: it is sent again. Changed here: that would go on for ever.
      return frame === undefined || checksumHolds(frame.pieces)
        ? { kind: "reopen", error }
        : { kind: "frame", error: messageChanged(topic, error, messages) };
    default:
      // Not to be mended by trying again: a topic that demands encryption, a schema that does not fit.
      return isRetryable(error) || isWaitedFor(error) ? { kind: "reopen", error } : { kind: "final", error };
  }
}
