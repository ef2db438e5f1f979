import { codecOfType } from "../compression.ts";
import type { KeyValue } from "./command-types.ts";
import { crc32c } from "./crc32c.ts";
import {
  boolean,
  bytes,
  decode,
  type FieldTable,
  integer,
  nested,
  repeated,
  required,
  text,
} from "./field-table.ts";

/** One message of a stored entry; for readers in tests. */
export interface EntryMessage {
  readonly producerName: string;
  readonly sequenceId: number;
  /** Milliseconds since the epoch. */
  readonly publishTime: number;
  /** Milliseconds since the epoch; `undefined` when none was set. */
  readonly eventTime: number | undefined;
  /** A key of bytes as its Base64. */
  readonly key: string | undefined;
  readonly keyIsBytes: boolean;
  readonly orderingKey: Uint8Array | undefined;
  readonly properties: Readonly<Record<string, string>>;
  /** A view of the entry's bytes. */
  readonly value: Uint8Array;
  /** -1 when the entry is not a batch. */
  readonly batchIndex: number;
}

interface MessageMetadata {
  readonly producerName: string;
  readonly sequenceId: number;
  readonly publishTime: number;
  readonly properties?: readonly KeyValue[] | undefined;
  readonly partitionKey?: string | undefined;
  readonly compression?: number | undefined;
  readonly uncompressedSize?: number | undefined;
  readonly numMessagesInBatch?: number | undefined;
  readonly eventTime?: number | undefined;
  readonly schemaVersion?: Uint8Array | undefined;
  readonly keyIsBytes?: boolean | undefined;
  readonly orderingKey?: Uint8Array | undefined;
  readonly highestSequenceId?: number | undefined;
}

interface SingleMessageMetadata {
  readonly properties?: readonly KeyValue[] | undefined;
  readonly partitionKey?: string | undefined;
  readonly payloadSize: number;
  readonly compactedOut?: boolean | undefined;
  readonly eventTime?: number | undefined;
  readonly keyIsBytes?: boolean | undefined;
  readonly orderingKey?: Uint8Array | undefined;
  readonly sequenceId?: number | undefined;
}

const keyValue: FieldTable<KeyValue> = { key: required(text(1)), value: required(text(2)) };

const messageMetadata: FieldTable<MessageMetadata> = {
  producerName: required(text(1)),
  sequenceId: required(integer(2)),
  publishTime: required(integer(3)),
  properties: repeated(nested(4, keyValue)),
  partitionKey: text(6),
  compression: integer(8),
  uncompressedSize: integer(9),
  numMessagesInBatch: integer(11),
  eventTime: integer(12),
  schemaVersion: bytes(16),
  keyIsBytes: boolean(17),
  orderingKey: bytes(18),
  highestSequenceId: integer(24),
};

const singleMessageMetadata: FieldTable<SingleMessageMetadata> = {
  properties: repeated(nested(1, keyValue)),
  partitionKey: text(2),
  payloadSize: required(integer(3)),
  compactedOut: boolean(4),
  eventTime: integer(5),
  keyIsBytes: boolean(6),
  orderingKey: bytes(7),
  sequenceId: integer(8),
};

const brokerMetadataMagic = 0x0e02;
const checksumMagic = 0x0e01;
/** An entry that claims to be larger is taken for a malformed one, before room is made for it. */
const maxPlainBytes = 64 * 1024 * 1024;

/**
 * The messages of an entry: what follows the command of a MESSAGE frame, or of a SEND. For readers in tests.
 *
 * @throws RangeError when the bytes are malformed or their checksum is wrong; UnsupportedCompressionError.
 */
export function decodeEntry(content: Uint8Array): readonly EntryMessage[] {
  const { metadata, payload } = splitEntry(content);
  const plain = decompress(metadata, payload);
  if (metadata.numMessagesInBatch !== undefined) {
    return splitBatch(metadata, metadata.numMessagesInBatch, plain);
  }
  return [toMessage(metadata, metadata, plain, -1)];
}

/** The metadata of an entry, and its payload as it was stored. */
export function splitEntry(content: Uint8Array): {
  readonly metadata: MessageMetadata;
  readonly payload: Uint8Array;
} {
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  let offset = 0;
  if (view.getUint16(offset) === brokerMetadataMagic) offset += 6 + view.getUint32(offset + 2);
  if (view.getUint16(offset) === checksumMagic) {
    const expected = view.getUint32(offset + 2);
    offset += 6;
    const actual = crc32c(content.subarray(offset), 0);
    if (actual !== expected) throw new RangeError(`the checksum is ${actual}, the entry says ${expected}`);
  }
  const payloadAt = offset + 4 + view.getUint32(offset);
  if (payloadAt > content.length) throw new RangeError("the metadata is truncated");
  const metadata = decode(messageMetadata, content.subarray(offset + 4, payloadAt));
  return { metadata, payload: content.subarray(payloadAt) };
}

function decompress(metadata: MessageMetadata, payload: Uint8Array): Uint8Array {
  const codec = codecOfType(metadata.compression ?? 0);
  if (codec === undefined) return payload;
  const size = metadata.uncompressedSize ?? 0;
  if (!(size >= 0 && size <= maxPlainBytes)) throw new RangeError(`an entry of ${size} bytes is compressed`);
  let plain: Uint8Array;
  try {
    plain = codec.decompress(payload, size);
  } catch (error) {
    throw new RangeError(`an entry cannot be decompressed as ${codec.name}`, { cause: error });
  }
  if (plain.length !== size) throw new RangeError(`an entry of ${plain.length} bytes claims to have ${size}`);
  return plain;
}

function splitBatch(batch: MessageMetadata, count: number, payload: Uint8Array): readonly EntryMessage[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const messages: EntryMessage[] = [];
  let offset = 0;
  for (let index = 0; index < count; index += 1) {
    const valueAt = offset + 4 + view.getUint32(offset);
    const single = decode(singleMessageMetadata, payload.subarray(offset + 4, valueAt));
    offset = valueAt + single.payloadSize;
    if (!(offset >= valueAt && offset <= payload.length))
      throw new RangeError("a message of the batch is truncated");
    if (single.compactedOut !== true) {
      messages.push(toMessage(batch, single, payload.subarray(valueAt, offset), index));
    }
  }
  return messages;
}

function toMessage(
  entry: MessageMetadata,
  own: SingleMessageMetadata | MessageMetadata,
  value: Uint8Array,
  batchIndex: number,
): EntryMessage {
  return {
    producerName: entry.producerName,
    sequenceId: own.sequenceId ?? entry.sequenceId,
    publishTime: entry.publishTime,
    eventTime: own.eventTime,
    key: own.partitionKey,
    keyIsBytes: own.keyIsBytes ?? false,
    orderingKey: own.orderingKey,
    properties: Object.fromEntries((own.properties ?? []).map((pair) => [pair.key, pair.value])),
    value,
    batchIndex,
  };
}
