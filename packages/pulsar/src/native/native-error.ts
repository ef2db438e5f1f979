import { ConnectorError, type ConnectorErrorOptions, toError } from "@pulsar-ts-io/core";
import {
  BrokerRefusedError,
  ConnectionLostError,
  InvalidAuthenticationError,
  InvalidServiceUrlError,
  InvalidTopicNameError,
  MessageRefusedError,
  MessageTooLargeError,
  ProducerBusyError,
  ProducerFencedError,
  PublishDefectError,
  PublisherClosedError,
  PulsarAuthenticationError,
  PulsarAuthorizationError,
  PulsarTimeoutError,
  PulsarUnreachableError,
  TopicNotFoundError,
  TopicTerminatedError,
} from "../errors.ts";

type Make = (message: string, options: ConnectorErrorOptions) => ConnectorError;

const brokerLog = "look at the broker's log for the reason";
const refused =
  (retryable: boolean): Make =>
  (message, options) =>
    new BrokerRefusedError(message, retryable, options);

/** What libpulsar's results mean, by the name its binding gives them; and what to do. @see strResult in apache/pulsar-client-cpp */
const results: ReadonlyMap<string, readonly [Make, string]> = new Map<string, readonly [Make, string]>([
  ["TimeOut", [(m, o) => new PulsarTimeoutError(m, o), "check that the broker runs and can be reached from here"]],
  ["ConnectError", [(m, o) => new PulsarUnreachableError(m, o), "check the service URL, its TLS settings, and that the broker runs"]],
  ["ReadError", [(m, o) => new ConnectionLostError(m, o), "check the network and the broker"]],
  ["NotConnected", [(m, o) => new ConnectionLostError(m, o), "check the network and the broker"]],
  ["ResultDisconnected", [(m, o) => new ConnectionLostError(m, o), "check the network and the broker"]],
  ["Retryable", [(m, o) => new ConnectionLostError(m, o), "check the network and the broker"]],
  ["AuthenticationError", [(m, o) => new PulsarAuthenticationError(m, o), "give the authentication plugin and the parameters that this broker asks for; a token may be wrong or expired"]],
  ["AuthorizationError", [(m, o) => new PulsarAuthorizationError(m, o), "let an administrator grant this role the right to produce to the topic"]],
  ["ErrorGettingAuthenticationData", [(m, o) => new InvalidAuthenticationError(m, o), "check the authentication parameters, and that their files can be read"]],
  ["TopicNotFound", [(m, o) => new TopicNotFoundError(m, o), "check the tenant, the namespace and the topic's name, or create them first"]],
  ["InvalidTopicName", [(m, o) => new InvalidTopicNameError(m, o), "write persistent://tenant/namespace/topic"]],
  ["InvalidUrl", [(m, o) => new InvalidServiceUrlError(m, o), "write pulsar://host:6650 or pulsar+ssl://host:6651"]],
  ["TopicTerminated", [(m, o) => new TopicTerminatedError(m, o), "publish to another topic: a terminated one stays so"]],
  ["ProducerBusy", [(m, o) => new ProducerBusyError(m, o), "stop the other producer of that name, or raise the limit of producers per topic (maxProducersPerTopic)"]],
  ["MessageTooBig", [(m, o) => new MessageTooLargeError(m, o), "raise the broker's maxMessageSize, compress, or publish smaller records"]],
  ["CryptoError", [(m, o) => new MessageRefusedError(m, o), "check the public key that messages are encrypted with"]],
  ["InvalidMessage", [(m, o) => new MessageRefusedError(m, o), "check the message's key and properties"]],
  ["ChecksumError", [(m, o) => new MessageRefusedError(m, o), "leave a record's value alone until it is acknowledged"]],
  ["ResultNotAllowedError", [(m, o) => new MessageRefusedError(m, o), "check the limits that the topic's policies set for messages"]],
  ["AlreadyClosed", [(m, o) => new PublisherClosedError(m, o), "open the publisher again"]],
  ["ResultInterrupted", [(m, o) => new PublisherClosedError(m, o), "open the publisher again"]],
  ["ResultProducerFenced", [(m, o) => new ProducerFencedError(m, o), "stop the other producer that took this one's place"]],
  ["IncompatibleSchema", [refused(false), "publish to a topic without a schema, or of schema BYTES"]],
  ["UnsupportedVersionError", [refused(false), "use a newer broker"]],
  ["OperationNotSupported", [refused(false), brokerLog]],
  ["InvalidConfiguration", [refused(false), "check the transport's settings"]],
  ["BrokerMetadataError", [refused(true), brokerLog]],
  ["BrokerPersistenceError", [refused(true), brokerLog]],
  ["LookupError", [refused(true), brokerLog]],
  ["ServiceUnitNotReady", [refused(true), brokerLog]],
  ["TooManyLookupRequestException", [refused(true), brokerLog]],
  ["ProducerBlockedQuotaExceededError", [refused(true), "let the topic's consumers catch up, or raise its backlog quota"]],
  ["ProducerBlockedQuotaExceededException", [refused(true), "let the topic's consumers catch up, or raise its backlog quota"]],
  ["UnknownError", [refused(true), brokerLog]],
]); // biome-ignore format: one line for each result

/** An error of the binding: `Failed to create producer: TimeOut`. */
const resultName = /: (?<name>\w+)$/;

/**
 * What `pulsar-client` threw, in our terms. Both of its full queues are defects of ours: our window is the smaller one.
 *
 * @param what the call in words, such as `opening persistent://public/default/t`.
 */
export function nativeError(reason: unknown, what: string): ConnectorError {
  if (reason instanceof ConnectorError) return reason;
  const error = toError(reason);
  const name = resultName.exec(error.message)?.groups?.["name"] ?? "";
  const known = results.get(name);
  const options = { cause: error, details: { result: name === "" ? undefined : name } };
  if (known === undefined) {
    return new PublishDefectError(`${what} failed: ${error.message}`, {
      ...options,
      remedy: "report it with the log of this run, and use the wire transport meanwhile",
    });
  }
  const [make, remedy] = known;
  return make(`${what} failed: ${name}`, { ...options, remedy });
}
