import { isUtf8 } from "node:buffer";
import { UnsupportedOptionError } from "../errors.ts";
import type { Compression, PublisherOptions, SchemaInfo } from "../publisher.ts";
import type { WireOptions } from "../wire-client.ts";
import type { NativeModule } from "./load-client.ts";
import { encryptionConfig } from "./native-encryption.ts";

type ClientConfig = ConstructorParameters<NativeModule["Client"]>[0];
type ProducerConfig = Parameters<InstanceType<NativeModule["Client"]>["createProducer"]>[0];

/** The largest number that the binding hands on: its settings are signed integers of 32 bits. */
const maxInt32 = 2_147_483_647;

const compressions: Readonly<Record<Compression, NonNullable<ProducerConfig["compressionType"]>>> = {
  NONE: "None",
  LZ4: "LZ4",
  ZLIB: "Zlib",
  ZSTD: "ZSTD",
  SNAPPY: "SNAPPY",
};

/** Every option that we have, by name; one that is new does not compile before it is said here what becomes of it. */
export function clientConfig(
  options: WireOptions,
  authentication: ClientConfig["authentication"],
  serviceUrl: string,
): ClientConfig {
  const { serviceUrl: _given, authPlugin: _plugin, authParams: _params, ...rest } = options;
  const { tls, operationTimeoutMs = 30_000, connectTimeoutMs = 10_000, listenerName, ...ours } = rest;
  const { memoryLimitBytes: _budget, ...others } = ours;
  nothingLeft(others);
  const { trustCertPath, allowInsecure, hostnameVerification, ...otherTls } = tls;
  nothingLeft(otherTls);
  return {
    serviceUrl,
    operationTimeoutSeconds: Math.max(1, Math.ceil(operationTimeoutMs / 1_000)),
    connectionTimeoutMs: Math.max(1, Math.ceil(connectTimeoutMs)),
    tlsAllowInsecureConnection: allowInsecure,
    tlsValidateHostname: hostnameVerification,
    // Its statistics are lines of the log; ours are metrics.
    statsIntervalInSeconds: 0,
    ...(authentication === undefined ? {} : { authentication }),
    ...(trustCertPath === undefined ? {} : { tlsTrustCertsFilePath: trustCertPath }),
    ...(listenerName === undefined ? {} : { listenerName }),
  };
}

/**
 * The producer's settings. A publisher that has a name sends without batches.
 *
 * Its messages may carry sequence ids, and may repeat after a restart: a batch that straddles the broker's last id would be taken
 * for a duplicate as a whole, and which id that is the binding does not tell.
 *
 * @throws UnsupportedOptionError (`PIO_UNSUPPORTED_OPTION`)
 */
export function producerConfig(
  topic: string,
  options: PublisherOptions,
  messageRouter: NonNullable<ProducerConfig["messageRouter"]>,
): ProducerConfig {
  const { producerName, producerProperties, compression, batching, ...rest } = options;
  const {
    maxPendingMessages,
    maxPendingBytes: _ours,
    accessMode,
    sendTimeoutMs,
    schema,
    encryption,
    ...others
  } = rest;
  nothingLeft(others);
  refuseNul("producerName", producerName ?? "");
  for (const [name, value] of Object.entries(producerProperties))
    refuseNul("producerProperties", name + value);
  return {
    topic,
    // 0 is for ever: the binding does not hand that on, and half a minute is its default.
    sendTimeoutMs: sendTimeoutMs === 0 ? maxInt32 : Math.min(maxInt32, Math.ceil(sendTimeoutMs)),
    // Ours is the smaller window, so that neither of these is ever full: a full queue blocks this thread, or fails the message.
    maxPendingMessages: Math.min(maxInt32, maxPendingMessages + 1),
    maxPendingMessagesAcrossPartitions: maxInt32,
    blockIfQueueFull: false,
    // Ours routes by Murmur3; should the binding ever choose by itself, a key stays where it was.
    messageRoutingMode: "CustomPartition",
    hashingScheme: "Murmur3_32Hash",
    messageRouter,
    compressionType: compressions[compression],
    accessMode,
    properties: { ...producerProperties },
    ...(producerName === undefined ? {} : { producerName }),
    ...(encryption === undefined ? {} : encryptionConfig(encryption)),
    ...(schema === undefined ? {} : { schema: schemaConfig(schema) }),
    ...batchingConfig(producerName === undefined ? batching : undefined),
  };
}

function batchingConfig(batching: PublisherOptions["batching"]): Partial<ProducerConfig> {
  // libpulsar throws where nobody catches at a batch of one.
  if (batching === undefined || batching.maxMessages <= 1) return { batchingEnabled: false };
  return {
    batchingEnabled: true,
    batchingType: batching.byKey === true ? "KeyBasedBatching" : "DefaultBatching",
    batchingMaxMessages: Math.min(maxInt32, batching.maxMessages),
    batchingMaxPublishDelayMs: Math.max(1, Math.ceil(batching.maxDelayMs)),
    batchingMaxAllowedSizeInBytes: Math.max(1, batching.maxBytes),
  };
}

/** Absent: the binding has no such schema. */
const schemaTypes: Partial<Record<SchemaInfo["type"], NonNullable<ProducerConfig["schema"]>["schemaType"]>> =
  {
    STRING: "String",
    JSON: "Json",
    PROTOBUF: "Protobuf",
    AVRO: "Avro",
    BOOLEAN: "Boolean",
    INT8: "Int8",
    INT16: "Int16",
    INT32: "Int32",
    INT64: "Int64",
    FLOAT: "Float32",
    DOUBLE: "Float64",
    KEY_VALUE: "KeyValue",
  };

function schemaConfig({ type, definition, properties }: SchemaInfo): NonNullable<ProducerConfig["schema"]> {
  const schemaType = schemaTypes[type];
  if (schemaType === undefined || !isUtf8(definition)) {
    throw new UnsupportedOptionError(
      `the native transport has no schema of type ${type}, or not with such a definition`,
      {
        details: { option: "schema" },
        remedy: "leave schema out, or use the wire transport",
      },
    );
  }
  const schema = Buffer.from(definition).toString();
  refuseNul("schema", schema);
  return { schemaType, name: "", schema, properties: { ...properties } };
}

/** The binding hands texts on as C does: what follows a NUL would be lost without a word. */
function refuseNul(option: string, text: string): void {
  if (!text.includes("\0")) return;
  throw new UnsupportedOptionError(`the native transport cannot carry the character U+0000 in ${option}`, {
    details: { option },
    remedy: `leave it out of ${option}, or use the wire transport`,
  });
}

function nothingLeft(_rest: Readonly<Record<string, never>>): void {}
