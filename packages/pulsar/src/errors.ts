import { ConnectorError, type ConnectorErrorOptions } from "@pulsar-ts-io/core";

/** The publisher was closed before this message was settled. */
export class PublisherClosedError extends ConnectorError {
  readonly code = "PIO_PUBLISHER_CLOSED";
  readonly retryable = false;
}

/** A topic name that Pulsar does not know how to read. */
export class InvalidTopicNameError extends ConnectorError {
  readonly code = "PIO_INVALID_TOPIC_NAME";
  readonly retryable = false;
}

/** A service URL that says nothing usable. */
export class InvalidServiceUrlError extends ConnectorError {
  readonly code = "PIO_INVALID_SERVICE_URL";
  readonly retryable = false;
}

/** None of the hosts could be connected to. */
export class PulsarUnreachableError extends ConnectorError {
  readonly code = "PIO_PULSAR_UNREACHABLE";
  readonly retryable = true;
}

/** The TLS handshake failed: certificate, host name or protocol. */
export class PulsarTlsError extends ConnectorError {
  readonly code = "PIO_PULSAR_TLS";
  readonly retryable = false;
}

/** The broker does not believe who we say we are. */
export class PulsarAuthenticationError extends ConnectorError {
  readonly code = "PIO_PULSAR_AUTHENTICATION";
  readonly retryable = false;
}

/** The broker knows us, and does not let us publish there. */
export class PulsarAuthorizationError extends ConnectorError {
  readonly code = "PIO_PULSAR_AUTHORIZATION";
  readonly retryable = false;
}

/** An authentication plugin or its parameters that the wire transport cannot use. */
export class UnsupportedAuthenticationError extends ConnectorError {
  readonly code = "PIO_UNSUPPORTED_AUTHENTICATION";
  readonly retryable = false;
}

/** Parameters of an authentication plugin that make no sense, or a secret that cannot be read. */
export class InvalidAuthenticationError extends ConnectorError {
  readonly code = "PIO_INVALID_AUTHENTICATION";
  readonly retryable = false;
}

/** The topic, its namespace or its tenant does not exist. */
export class TopicNotFoundError extends ConnectorError {
  readonly code = "PIO_TOPIC_NOT_FOUND";
  readonly retryable = false;
}

/** The topic was terminated: it takes no message any more. */
export class TopicTerminatedError extends ConnectorError {
  readonly code = "PIO_TOPIC_TERMINATED";
  readonly retryable = false;
}

/** Another connection has the producer's name, or has the topic for itself; `details.holder` names the latter's producer. */
export class ProducerBusyError extends ConnectorError {
  readonly code = "PIO_PRODUCER_BUSY";
  readonly retryable = true;
}

/** A limit of the broker is reached; `details.setting` names it. It passes when others leave or the limit is raised. */
export class BrokerLimitError extends ConnectorError {
  readonly code = "PIO_BROKER_LIMIT";
  readonly retryable = true;
}

/** A partitioned topic has fewer partitions than a publisher that is open: it was deleted, or created again. */
export class PartitionsGoneError extends ConnectorError {
  readonly code = "PIO_PARTITIONS_GONE";
  readonly retryable = false;

  constructor(message: string, options: ConnectorErrorOptions = {}) {
    super(message, { remedy: partitionsGoneRemedy, ...options });
  }
}

const partitionsGoneRemedy =
  "create the topic again with at least as many partitions as before (pulsar-admin topics create-partitioned-topic), then start the source again";

/** Somebody else has the topic for himself, or had it since. */
export class ProducerFencedError extends ConnectorError {
  readonly code = "PIO_PRODUCER_FENCED";
  readonly retryable = false;
}

/** The broker did not confirm a message within the send time-out; it may have stored it all the same. */
export class SendTimeoutError extends ConnectorError {
  readonly code = "PIO_SEND_TIMEOUT";
  readonly retryable = false;
}

/** The broker refused for a reason that has no class of its own; `details.serverError` names it. */
export class BrokerRefusedError extends ConnectorError {
  readonly code = "PIO_BROKER_REFUSED";
  readonly retryable: boolean;

  constructor(message: string, retryable: boolean, options: ConnectorErrorOptions = {}) {
    super(message, options);
    this.retryable = retryable;
  }
}

/** One message is larger than the broker takes. */
export class MessageTooLargeError extends ConnectorError {
  readonly code = "PIO_MESSAGE_TOO_LARGE";
  readonly retryable = false;
}

/** The broker will not store this one message. */
export class MessageRefusedError extends ConnectorError {
  readonly code = "PIO_MESSAGE_REFUSED";
  readonly retryable = false;
}

/** The broker answered, and stored nothing. */
export class MessageNotStoredError extends ConnectorError {
  readonly code = "PIO_MESSAGE_NOT_STORED";
  readonly retryable = false;
}

/** A sequence id that is not above the one before it. */
export class InvalidSequenceIdError extends ConnectorError {
  readonly code = "PIO_INVALID_SEQUENCE_ID";
  readonly retryable = false;
}

/** A compression that this machine or transport does not have. */
export class UnsupportedCompressionError extends ConnectorError {
  readonly code = "PIO_UNSUPPORTED_COMPRESSION";
  readonly retryable = false;
}

/** The other side speaks something that is not Pulsar's protocol, or broke its rules. */
export class ProtocolError extends ConnectorError {
  readonly code = "PIO_PULSAR_PROTOCOL";
  readonly retryable = false;
}

/** The broker did not answer in time. */
export class PulsarTimeoutError extends ConnectorError {
  readonly code = "PIO_PULSAR_TIMEOUT";
  readonly retryable = true;
}

/** The connection ended. */
export class ConnectionLostError extends ConnectorError {
  readonly code = "PIO_PULSAR_CONNECTION_LOST";
  readonly retryable = true;
}

/** Where the console transport writes is gone. */
export class ConsoleClosedError extends ConnectorError {
  readonly code = "PIO_CONSOLE_CLOSED";
  readonly retryable = false;
}

/** A defect of this package: something that should not have happened. */
export class PublishDefectError extends ConnectorError {
  readonly code = "PIO_PUBLISH_DEFECT";
  readonly retryable = false;
}

/** The package `pulsar-client`, or its native library, is not there. */
export class NativeClientMissingError extends ConnectorError {
  readonly code = "PIO_NATIVE_CLIENT_MISSING";
  readonly retryable = false;
}

/** An option that this transport does not have; the message names it. */
export class UnsupportedOptionError extends ConnectorError {
  readonly code = "PIO_UNSUPPORTED_OPTION";
  readonly retryable = false;
}

/** The key that messages shall be encrypted with cannot be used. */
export class InvalidEncryptionError extends ConnectorError {
  readonly code = "PIO_INVALID_ENCRYPTION";
  readonly retryable = false;
}
