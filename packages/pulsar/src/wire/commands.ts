import type {
  AuthData,
  CommandName,
  Commands,
  FeatureFlags,
  KeyValue,
  MessageIdData,
  NamedCommand,
  SchemaData,
} from "./command-types.ts";
import {
  boolean,
  bytes,
  decode,
  encode,
  type FieldTable,
  integer,
  long,
  nested,
  readPrefixed,
  repeated,
  required,
  skipField,
  text,
} from "./field-table.ts";
import { VarintReader } from "./varint.ts";

/** The protocol version we speak: 4.0's. TOPIC_MIGRATED is sent only to 20 and above. */
export const protocolVersion = 21;

const keyValue: FieldTable<KeyValue> = { key: required(text(1)), value: required(text(2)) };
const authData: FieldTable<AuthData> = { method: text(1), data: bytes(2) };
const featureFlags: FieldTable<FeatureFlags> = {
  supportsAuthRefresh: boolean(1),
  supportsBrokerEntryMetadata: boolean(2),
  supportsPartialProducer: boolean(3),
  supportsTopicWatchers: boolean(4),
  supportsPartitionsWithoutAutoCreation: boolean(5),
  supportsReplDedupByPosition: boolean(6),
};
const schemaData: FieldTable<SchemaData> = {
  name: required(text(1)),
  data: required(bytes(3)),
  type: required(integer(4)),
  properties: repeated(nested(5, keyValue)),
};
const messageIdData: FieldTable<MessageIdData> = {
  ledgerId: required(long(1)),
  entryId: required(long(2)),
  partition: integer(3),
  batchIndex: integer(4),
};

type CommandTables = {
  readonly [N in CommandName]: { readonly type: number; readonly fields: FieldTable<Commands[N]> };
};

/**
 * Every control command we send or understand: its type, which is also the number of its field in BaseCommand, and its fields.
 *
 * SEND and SEND_RECEIPT, which travel with each record, have files of their own.
 *
 * @see PulsarApi.proto of Pulsar 4.0.7
 */
const tables: CommandTables = {
  connect: {
    type: 2,
    fields: {
      clientVersion: required(text(1)),
      authData: bytes(3),
      protocolVersion: integer(4),
      authMethodName: text(5),
      proxyToBrokerUrl: text(6),
      featureFlags: nested(10, featureFlags),
    },
  },
  connected: {
    type: 3,
    fields: {
      serverVersion: required(text(1)),
      protocolVersion: integer(2),
      maxMessageSize: integer(3),
      featureFlags: nested(4, featureFlags),
    },
  },
  subscribe: {
    type: 4,
    fields: {
      topic: required(text(1)),
      subscription: required(text(2)),
      type: required(integer(3)),
      consumerId: required(integer(4)),
      requestId: required(integer(5)),
      consumerName: text(6),
      durable: boolean(8),
      startMessageId: nested(9, messageIdData),
      initialPosition: integer(13),
      forceTopicCreation: boolean(15),
    },
  },
  producer: {
    type: 5,
    fields: {
      topic: required(text(1)),
      producerId: required(integer(2)),
      requestId: required(integer(3)),
      producerName: text(4),
      encrypted: boolean(5),
      metadata: repeated(nested(6, keyValue)),
      schema: nested(7, schemaData),
      epoch: integer(8),
      userProvidedProducerName: boolean(9),
      accessMode: integer(10),
      topicEpoch: integer(11),
      transactional: boolean(12),
    },
  },
  sendError: {
    type: 8,
    fields: {
      producerId: required(integer(1)),
      sequenceId: required(integer(2)),
      error: required(integer(3)),
      message: required(text(4)),
    },
  },
  message: {
    type: 9,
    fields: { consumerId: required(integer(1)), messageId: required(nested(2, messageIdData)) },
  },
  flow: { type: 11, fields: { consumerId: required(integer(1)), messagePermits: required(integer(2)) } },
  success: { type: 13, fields: { requestId: required(integer(1)) } },
  error: {
    type: 14,
    fields: {
      requestId: required(integer(1)),
      error: required(integer(2)),
      message: required(text(3)),
    },
  },
  closeProducer: {
    type: 15,
    fields: {
      producerId: required(integer(1)),
      requestId: required(integer(2)),
      brokerServiceUrl: text(3),
      brokerServiceUrlTls: text(4),
    },
  },
  closeConsumer: { type: 16, fields: { consumerId: required(integer(1)), requestId: required(integer(2)) } },
  producerSuccess: {
    type: 17,
    fields: {
      requestId: required(integer(1)),
      producerName: required(text(2)),
      lastSequenceId: integer(3),
      schemaVersion: bytes(4),
      topicEpoch: integer(5),
      producerReady: boolean(6),
    },
  },
  ping: { type: 18, fields: {} },
  pong: { type: 19, fields: {} },
  partitionedMetadata: {
    type: 21,
    fields: {
      topic: required(text(1)),
      requestId: required(integer(2)),
      autoCreate: boolean(6),
    },
  },
  partitionedMetadataResponse: {
    type: 22,
    fields: {
      partitions: integer(1),
      requestId: required(integer(2)),
      response: integer(3),
      error: integer(4),
      message: text(5),
    },
  },
  lookup: {
    type: 23,
    fields: {
      topic: required(text(1)),
      requestId: required(integer(2)),
      authoritative: boolean(3),
      listenerName: text(7),
    },
  },
  lookupResponse: {
    type: 24,
    fields: {
      brokerServiceUrl: text(1),
      brokerServiceUrlTls: text(2),
      response: integer(3),
      requestId: required(integer(4)),
      authoritative: boolean(5),
      error: integer(6),
      message: text(7),
      proxyThroughServiceUrl: boolean(8),
    },
  },
  authChallenge: {
    type: 36,
    fields: {
      serverVersion: text(1),
      challenge: nested(2, authData),
      protocolVersion: integer(3),
    },
  },
  authResponse: {
    type: 37,
    fields: {
      clientVersion: text(1),
      response: nested(2, authData),
      protocolVersion: integer(3),
    },
  },
  topicMigrated: {
    type: 68,
    fields: {
      resourceId: required(integer(1)),
      resourceType: required(integer(2)),
      brokerServiceUrl: text(3),
      brokerServiceUrlTls: text(4),
    },
  },
};

/** The type number of SEND_RECEIPT, which {@link readReceipt} decodes. */
export const sendReceiptType = 7;

const nameByType: ReadonlyMap<number, CommandName> = new Map(
  // Object.keys forgets that the keys are the table's own.
  (Object.keys(tables) as CommandName[]).map((name) => [tables[name].type, name]),
);

/** A whole frame with one command and no payload. */
export function encodeCommand<N extends CommandName>(name: N, fields: Commands[N]): Buffer {
  const table: FieldTable<Commands[N]> = tables[name].fields;
  return frameCommand(tables[name].type, encode(table, fields));
}

function frameCommand(type: number, content: Uint8Array): Buffer {
  const base = encode<RawCommand>(
    { type: required(integer(1)), content: required(bytes(type)) },
    { type, content },
  );
  const frame = Buffer.allocUnsafe(8 + base.length);
  frame.writeUInt32BE(4 + base.length, 0);
  frame.writeUInt32BE(base.length, 4);
  frame.set(base, 8);
  return frame;
}

/** The type of a BaseCommand and the bytes of the command inside. */
export interface RawCommand {
  readonly type: number;
  readonly content: Uint8Array;
}

const noContent = new Uint8Array(0);

/** @throws RangeError when `base` is malformed. */
export function splitCommand(base: Uint8Array): RawCommand {
  const reader = new VarintReader(base);
  let type = -1;
  let content: Uint8Array | undefined;
  let contentNumber = -1;
  while (reader.offset < reader.end) {
    const tag = reader.number();
    if (tag === 8) type = reader.number();
    else if ((tag & 7) === 2) {
      content = readPrefixed(reader);
      contentNumber = tag >>> 3;
      // The field is numbered as the type: nothing else of this message is of interest.
    } else skipField(reader, tag & 7);
  }
  if (type < 0) throw new RangeError("a command has no type");
  return { type, content: contentNumber === type && content !== undefined ? content : noContent };
}

/**
 * The command, or `undefined` when its type is none that we know: a newer broker's, to be ignored.
 *
 * @throws RangeError when it is malformed.
 */
export function decodeCommand(raw: RawCommand): NamedCommand | undefined {
  const name = nameByType.get(raw.type);
  if (name === undefined) return undefined;
  const table: FieldTable<object> = tables[name].fields;
  // The fields were decoded by the table of that very name; the compiler cannot follow the pair through the index.
  return { name, fields: decode(table, raw.content) } as NamedCommand;
}
