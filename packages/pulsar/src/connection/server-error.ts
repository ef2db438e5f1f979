import type { ConnectorError, ConnectorErrorOptions } from "@pulsar-ts-io/core";
import {
  BrokerRefusedError,
  InvalidTopicNameError,
  ProducerBusyError,
  ProducerFencedError,
  PulsarAuthenticationError,
  PulsarAuthorizationError,
  TopicNotFoundError,
  TopicTerminatedError,
} from "../errors.ts";

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

/** Those that no waiting will change: unsupported version, incompatible schema, not allowed. */
const finalCodes = new Set([10, 18, 22]);

export interface ServerFailure {
  /** ServerError of the protocol. */
  readonly error: number;
  readonly message: string;
}

/**
 * What the broker answered, as an error with a verdict: `retryable` says whether the same request may succeed later.
 *
 * @param what the request in words, such as `the lookup of persistent://public/default/t`.
 */
export function brokerError(failure: ServerFailure, what: string): ConnectorError {
  const serverError = names[failure.error] ?? `ServerError ${failure.error}`;
  const said = firstLine(failure.message);
  const text = `${what} was refused: ${serverError}${said === "" ? "" : `: ${said}`}`;
  const options = (remedy: string): ConnectorErrorOptions => ({ details: { serverError }, remedy });
  switch (failure.error) {
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
      return new TopicNotFoundError(text, options(notFoundRemedy(said)));
    case serverErrors.topicTerminated:
      return new TopicTerminatedError(text, options("publish to another topic: a terminated one stays so"));
    case serverErrors.producerBusy:
      return new ProducerBusyError(
        text,
        options("stop the other producer of that name, or raise the limit of producers per topic"),
      );
    case serverErrors.producerFenced:
      return new ProducerFencedError(text, {
        details: { serverError, holder: /existing exclusive producer: (.+)$/.exec(said)?.[1] },
        remedy: "stop the other producers of the topic, or ask for shared access",
      });
    case serverErrors.invalidTopicName:
      return new InvalidTopicNameError(text, options("write persistent://tenant/namespace/topic"));
    default:
      return refused(failure, serverError, text);
  }
}

/** The broker says the same of a tenant and of a namespace that is not there. */
function notFoundRemedy(said: string): string {
  return /namespace/i.test(said)
    ? "check the tenant and the namespace in the topic's name, or create them first"
    : "check the topic's name, or create the topic first: this broker does not do so by itself";
}

function refused(failure: ServerFailure, serverError: string, text: string): BrokerRefusedError {
  const encryption = /encrypt/i.test(failure.message);
  const retryable = !finalCodes.has(failure.error) && !encryption;
  const remedy = encryption
    ? "publish to a topic that needs no encryption, or use the native transport: the wire transport has none"
    : "look at the broker's log for the reason";
  return new BrokerRefusedError(text, retryable, { details: { serverError }, remedy });
}

/** The broker's messages may carry a Java stack trace, and whoever stands for a broker may say anything: it is shown in terminals. */
function firstLine(message: string): string {
  const [line = ""] = message.split("\n", 1);
  return line
    .replace(/\p{Cc}/gu, " ")
    .trim()
    .slice(0, maxMessageLength);
}
