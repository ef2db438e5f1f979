import type { ConnectorError, ConnectorErrorOptions, ErrorDetails } from "@pulsar-ts-io/core";
import {
  BrokerLimitError,
  BrokerRefusedError,
  InvalidTopicNameError,
  PartitionsGoneError,
  ProducerBusyError,
  ProducerFencedError,
  PulsarAuthenticationError,
  PulsarAuthorizationError,
  TopicNotFoundError,
  TopicTerminatedError,
} from "../errors.ts";
import { meaningOf, type RefusedRequest } from "./broker-sentences.ts";

/** The broker's error codes that we treat one by one. */
export const serverErrors = {
  metadata: 1,
  persistence: 2,
  authentication: 3,
  authorization: 4,
  checksum: 9,
  topicNotFound: 11,
  topicTerminated: 15,
  producerBusy: 16,
  invalidTopicName: 17,
  notAllowed: 22,
  producerFenced: 25,
} as const;

const names: readonly string[] = [
  "UnknownError",
  "MetadataError",
  "PersistenceError",
  "AuthenticationError",
  "AuthorizationError",
  "ConsumerBusy",
  "ServiceNotReady",
  "ProducerBlockedQuotaExceededError",
  "ProducerBlockedQuotaExceededException",
  "ChecksumError",
  "UnsupportedVersionError",
  "TopicNotFound",
  "SubscriptionNotFound",
  "ConsumerNotFound",
  "TooManyRequests",
  "TopicTerminatedError",
  "ProducerBusy",
  "InvalidTopicName",
  "IncompatibleSchema",
  "ConsumerAssignError",
  "TransactionCoordinatorNotFound",
  "InvalidTxnStatus",
  "NotAllowedError",
  "TransactionConflict",
  "TransactionNotFound",
  "ProducerFenced",
];

/** Of what a broker says. */
const maxMessageLength = 500;

/** Those that no waiting changes: unsupported version, incompatible schema, not allowed. */
const finalCodes = new Set([10, 18, 22]);

export interface ServerFailure {
  /** ServerError of the protocol. */
  readonly error: number;
  readonly message: string;
}

/**
 * What the broker answered, as an error with a verdict: `retryable` says whether the same request may succeed later.
 *
 * The error code decides, and the broker's own sentence as a whole. The broker's text also holds names that users chose: no word of
 * it decides anything by itself.
 *
 * @param what the request in words, such as `the lookup of persistent://public/default/t`.
 * @param request which request it was.
 */
export function brokerError(
  failure: ServerFailure,
  what: string,
  request: RefusedRequest = "request",
): ConnectorError {
  const serverError = names[failure.error] ?? `ServerError ${failure.error}`;
  const said = firstLine(failure.message);
  const shown = said.trim().slice(0, maxMessageLength);
  const text = `${what} was refused: ${serverError}${shown === "" ? "" : `: ${shown}`}`;
  const meaning = meaningOf(request, failure.error, said);
  switch (meaning?.kind) {
    case "limit": {
      const { setting, remedy } = meaning;
      return new BrokerLimitError(text, { details: { serverError, setting }, remedy });
    }
    case "final":
      return new BrokerRefusedError(text, false, { details: { serverError }, remedy: meaning.remedy });
    case "partition-gone":
      return new PartitionsGoneError(text, { details: { serverError } });
    case "held":
      return topicHeld(failure, text, { serverError, holder: meaning.holder });
    case "name-taken":
      return byCode(failure, text, { serverError, nameTaken: true }, undefined);
    case undefined:
      return byCode(failure, text, { serverError }, undefined);
    case "namespace-missing":
      return byCode(failure, text, { serverError, missing: "namespace" }, meaning.remedy);
    default:
      return meaning satisfies never;
  }
}

function topicHeld({ error }: ServerFailure, text: string, details: ErrorDetails): ConnectorError {
  const remedy = "stop the producer that has the topic exclusively (pulsar-admin topics stats names it)";
  return error === serverErrors.producerFenced
    ? new ProducerFencedError(text, { details, remedy })
    : new ProducerBusyError(text, { details, remedy });
}

/** @param better a remedy that fits better than that of the code. */
function byCode(
  { error }: ServerFailure,
  text: string,
  details: ErrorDetails,
  better: string | undefined,
): ConnectorError {
  const options = (remedy: string): ConnectorErrorOptions => ({ details, remedy: better ?? remedy });
  switch (error) {
    case serverErrors.authentication:
      return new PulsarAuthenticationError(
        text,
        options(
          "give the authentication plugin and the parameters that this broker asks for; a token may be wrong or expired",
        ),
      );
    case serverErrors.authorization:
      return new PulsarAuthorizationError(
        text,
        options("let an administrator grant this role the right to produce to the topic"),
      );
    case serverErrors.topicNotFound:
      return new TopicNotFoundError(
        text,
        options("check the topic's name, or create the topic first: this broker does not do so by itself"),
      );
    case serverErrors.topicTerminated:
      return new TopicTerminatedError(text, options("publish to another topic: a terminated one stays so"));
    case serverErrors.producerBusy:
      return new ProducerBusyError(
        text,
        options("stop the other producer of that name: pulsar-admin topics stats shows its address"),
      );
    case serverErrors.producerFenced:
      return new ProducerFencedError(
        text,
        options("stop the other producers of the topic, or ask for shared access"),
      );
    case serverErrors.invalidTopicName:
      return new InvalidTopicNameError(text, options("write persistent://tenant/namespace/topic"));
    default:
      return new BrokerRefusedError(
        text,
        !finalCodes.has(error),
        options("look at the broker's log for the reason"),
      );
  }
}

/** The broker's messages may carry a Java stack trace, and whoever stands for a broker may say anything: it is shown in terminals. */
function firstLine(message: string): string {
  const [line = ""] = message.split("\n", 1);
  return line.replace(/\p{Cc}/gu, " ");
}
