export { ConsoleTransport } from "./console-transport.ts";
export {
  BrokerRefusedError,
  ConnectionLostError,
  ConsoleClosedError,
  InvalidAuthenticationError,
  InvalidSequenceIdError,
  InvalidServiceUrlError,
  InvalidTopicNameError,
  MessageNotStoredError,
  MessageRefusedError,
  MessageTooLargeError,
  ProducerBusyError,
  ProtocolError,
  PublisherClosedError,
  PulsarAuthenticationError,
  PulsarAuthorizationError,
  PulsarTimeoutError,
  PulsarTlsError,
  PulsarUnreachableError,
  TopicNotFoundError,
  TopicTerminatedError,
  UnsupportedAuthenticationError,
  UnsupportedCompressionError,
} from "./errors.ts";
export { MemoryTransport, type MemoryTransportOptions, type StoredMessage } from "./memory-transport.ts";
export {
  type BatchingOptions,
  type Compression,
  type Delivery,
  defaultPublisherOptions,
  type MessageId,
  type OutgoingMessage,
  type Publisher,
  type PublisherOptions,
  type Transport,
} from "./publisher.ts";
export { parseTopicName, type TopicDefaults, type TopicName } from "./topic-name.ts";
export { createWireTransport, type TlsOptions, type WireHost, type WireOptions } from "./wire-transport.ts";
