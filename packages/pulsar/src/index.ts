export { readTopicDeduplication } from "./admin/topic-deduplication.ts";
export { WebService, type WebServiceHost, type WebServiceOptions } from "./admin/web-service.ts";
export { parseWebServiceUrl, usualWebServiceUrl, type WebServiceUrl } from "./admin/web-service-url.ts";
export { loadCodecs } from "./compression.ts";
export type { Dial, TlsOptions } from "./connection/dial.ts";
export type { ConsumerLink } from "./connection/link-registry.ts";
export type { BrokerAddress } from "./connection/service-url.ts";
export { ConsoleTransport } from "./console-transport.ts";
export {
  BrokerLimitError,
  BrokerRefusedError,
  ConnectionLostError,
  ConsoleClosedError,
  InvalidAuthenticationError,
  InvalidEncryptionError,
  InvalidSequenceIdError,
  InvalidServiceUrlError,
  InvalidTopicNameError,
  MessageNotStoredError,
  MessageRefusedError,
  MessageTooLargeError,
  NativeClientMissingError,
  PartitionsGoneError,
  ProducerBusyError,
  ProducerFencedError,
  ProtocolError,
  PublisherClosedError,
  PulsarAuthenticationError,
  PulsarAuthorizationError,
  PulsarTimeoutError,
  PulsarTlsError,
  PulsarUnreachableError,
  SendTimeoutError,
  TopicNotFoundError,
  TopicTerminatedError,
  UnsupportedAuthenticationError,
  UnsupportedCompressionError,
  UnsupportedOptionError,
} from "./errors.ts";
export { MemoryTransport, type MemoryTransportOptions, type StoredMessage } from "./memory-transport.ts";
export { formatMessage } from "./message-text.ts";
export { createNativeTransport, type NativeHost } from "./native/native-transport.ts";
export {
  type AccessMode,
  type BatchingOptions,
  type Compression,
  type Delivery,
  defaultPublisherOptions,
  type EncryptionOptions,
  type MessageId,
  type OutgoingMessage,
  type Publisher,
  type PublisherOptions,
  type SchemaInfo,
  type SchemaType,
  type Transport,
} from "./publisher.ts";
export { parseTopicName, type TopicDefaults, type TopicName } from "./topic-name.ts";
export { decodeEntry, type EntryMessage } from "./wire/entry.ts";
export { WireClient, type WireHost, type WireOptions } from "./wire-client.ts";
export { createWireTransport } from "./wire-transport.ts";
