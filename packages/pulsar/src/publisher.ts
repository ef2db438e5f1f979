import type { ConnectorError } from "@pulsar-ts-io/core";

/** What is published. A `SourceRecord` of the core contract is one as it stands: nothing is copied on the way. */
export interface OutgoingMessage {
  /** Published byte for byte. Must not change until the delivery is settled. */
  readonly value: Uint8Array;
  /** Decides the partition. Bytes travel, and are hashed, as their Base64 text. */
  readonly key?: string | Uint8Array | undefined;
  /** What a Key_Shared subscription orders by instead of the key. */
  readonly orderingKey?: Uint8Array | undefined;
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds since the epoch. */
  readonly eventTime?: number | undefined;
}

/** Where the broker stored a message. */
export interface MessageId {
  readonly ledgerId: bigint;
  readonly entryId: bigint;
  /** -1 when the topic is not partitioned. */
  readonly partition: number;
  /** -1 when the message was not part of a batch. */
  readonly batchIndex: number;
}

/**
 * Learns how the publishing of one message ended; exactly one of the two is called, once.
 *
 * An object rather than a promise or a closure: there is one for each message.
 */
export interface Delivery {
  /**
   * The broker has it.
   *
   * @param id where; `undefined` for a duplicate: it was stored before, and the broker does not say where.
   */
  stored(id: MessageId | undefined): void;
  /** It never will be stored by this publisher. Messages after it go on. */
  failed(error: ConnectorError): void;
  /** Called in place of `failed`, where there is such a method, when a non-persistent topic dropped the message under load. */
  dropped?(): void;
}

/**
 * Publishes to one topic, all its partitions included. Messages of one key (and partition) are stored in the order of `send`.
 */
export interface Publisher extends AsyncDisposable {
  /**
   * Takes charge of `message`, also when {@link full} says there is no room: ask first, then send.
   *
   * @param sequenceId for deduplication: an integer of 0 to 2^53 - 1, strictly increasing; absent: numbered by the publisher.
   */
  send(message: OutgoingMessage, delivery: Delivery, sequenceId?: bigint): void;
  /**
   * The highest sequence id of the producer's name when this was opened, for each partition of the topic; -1 for none. Absent: the
   * transport cannot tell.
   */
  readonly lastSequenceIds?: readonly bigint[] | undefined;
  /** Whether the window of unconfirmed messages is used up. */
  readonly full: boolean;
  /**
   * Waits until {@link full} is false.
   *
   * @throws the signal's reason; the publisher's final error once it can publish nothing any more.
   */
  room(signal: AbortSignal): Promise<void>;
  /** Sends what waits to be batched and waits until everything is settled. */
  flush(signal: AbortSignal): Promise<void>;
  /** Ends the publisher; what is not settled yet fails with `PIO_PUBLISHER_CLOSED`. Flush first. Idempotent. */
  close(): Promise<void>;
}

/** A connection to where messages go; makes publishers. */
export interface Transport extends AsyncDisposable {
  /** @throws a coded error when the topic cannot be published to. */
  open(topic: string, options: PublisherOptions, signal: AbortSignal): Promise<Publisher>;
  /** Closes every publisher that is left, then the connections. Idempotent. */
  close(): Promise<void>;
}

/** Whether others may publish to the topic at the same time, by Java's names. */
export type AccessMode = "Shared" | "Exclusive";

export type Compression = "NONE" | "LZ4" | "ZLIB" | "ZSTD" | "SNAPPY";

/** Kinds of schema by Pulsar's names. Records of plain bytes have none. */
export type SchemaType =
  | "STRING"
  | "JSON"
  | "PROTOBUF"
  | "AVRO"
  | "BOOLEAN"
  | "INT8"
  | "INT16"
  | "INT32"
  | "INT64"
  | "FLOAT"
  | "DOUBLE"
  | "DATE"
  | "TIME"
  | "TIMESTAMP"
  | "KEY_VALUE"
  | "PROTOBUF_NATIVE";

/** What values are; the broker checks that it fits the topic's schema, and registers it where there is none. */
export interface SchemaInfo {
  readonly type: SchemaType;
  /** The definition, as the type's own format has it; empty for primitive types. */
  readonly definition: Uint8Array;
  readonly properties: Readonly<Record<string, string>>;
}

/** How one topic is published to; Pulsar IO's values are `defaultPublisherOptions`. */
export interface PublisherOptions {
  /** Absent: the broker names the producer. */
  readonly producerName?: string | undefined;
  /** Shown in the topic's stats. */
  readonly producerProperties: Readonly<Record<string, string>>;
  /** Values must be encoded by it already. Absent: bytes. */
  readonly schema?: SchemaInfo | undefined;
  readonly compression: Compression;
  readonly batching: BatchingOptions | undefined;
  /** Unconfirmed messages this publisher may have, over all partitions; at least 1. */
  readonly maxPendingMessages: number;
  /** Bytes that its unconfirmed messages may hold in memory, over all partitions: values, keys, properties and frames. */
  readonly maxPendingBytes: number;
  /** An exclusive publisher is refused with `PIO_PRODUCER_FENCED` while the topic has any other producer. */
  readonly accessMode: AccessMode;
  /**
   * Longest time from forming a frame to its confirmation, milliseconds; 0: for ever. Past it everything unconfirmed on that
   * partition fails with `PIO_SEND_TIMEOUT`.
   */
  readonly sendTimeoutMs: number;
  /** Encrypts messages on their way from publisher to reader; by the native transport only. */
  readonly encryption?: EncryptionOptions | undefined;
}

export interface EncryptionOptions {
  /** PEM file of the RSA key that everything is encrypted for. */
  readonly publicKeyPath: string;
  /** Under these a reader finds the private key; at least one. */
  readonly keyNames: readonly string[];
  /** What becomes of a message that cannot be encrypted: it fails, or is sent as it is. */
  readonly onFailure: "FAIL" | "SEND";
}

export interface BatchingOptions {
  /** Longest time a message waits for others, milliseconds. */
  readonly maxDelayMs: number;
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** One batch for each key, for Key_Shared subscriptions; then sequence ids cannot be chosen. Default false. */
  readonly byKey?: boolean | undefined;
}

/** Batches of 1000 messages, 128 KiB or 10 ms; LZ4; shared access, no time-out. */
export const defaultPublisherOptions: PublisherOptions = {
  producerProperties: {},
  compression: "LZ4",
  batching: { maxDelayMs: 10, maxMessages: 1_000, maxBytes: 131_072, byKey: false },
  maxPendingMessages: 1_000,
  maxPendingBytes: 33_554_432,
  accessMode: "Shared",
  sendTimeoutMs: 0,
};
