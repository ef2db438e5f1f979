import { keyText } from "../message-key.ts";
import type { OutgoingMessage } from "../publisher.ts";
import { ByteWriter } from "./byte-writer.ts";
import { crc32c } from "./crc32c.ts";
import { frameBuffers } from "./frame-buffers.ts";
import { varintSize } from "./varint.ts";

/** The two bytes that announce a checksum. */
const checksumMagic = 0x0e01;
/** Values up to this size are copied next to their metadata: cheaper than one more piece for the socket to write. */
const gatherBelowBytes = 4_096;

/** How a payload is compressed: the number of its CompressionType, and the size it had. */
export interface CompressedAs {
  readonly type: number;
  readonly uncompressedBytes: number;
}

/** What one SEND carries besides its payload. */
export interface SendHeader {
  readonly producerId: number;
  readonly producerName: string;
  readonly sequenceId: number;
  readonly publishTime: number;
  /** As the broker gave it; empty when the topic has no schema. */
  readonly schemaVersion: Uint8Array;
  /** `undefined`: the payload goes as it is. */
  readonly compressed: CompressedAs | undefined;
}

/** A frame ready for the socket, as pieces to be written one after the other. */
export interface EncodedSend {
  readonly pieces: readonly Uint8Array[];
  /** Metadata and payload: what the broker holds against `max_message_size`. */
  readonly messageBytes: number;
}

/** SEND of a single message; `payload` is its value, compressed or not, and is not copied. */
export function encodeSingle(header: SendHeader, message: OutgoingMessage, payload: Uint8Array): EncodedSend {
  const writer = new ByteWriter(256);
  const metadataAt = startFrame(writer, header, 0, header.sequenceId);
  startMetadata(writer, header);
  writeProperties(writer, 0x22, message.properties);
  writeKey(writer, 0x32, message.key);
  writeCompression(writer, header.compressed, payload.length);
  writeEventTime(writer, 0x60, message.eventTime);
  writeSchemaVersion(writer, header.schemaVersion);
  // Java leaves a false flag out here, and writes it in batches.
  if (isBytes(message.key)) writeUint16Field(writer, 0x88, 1);
  writeEntryOrderingKey(writer, message.orderingKey);
  return finishFrame(writer, metadataAt, [payload], payload.length);
}

/** What a batch adds to its header. */
export interface BatchHeader extends SendHeader {
  readonly highestSequenceId: number;
  readonly messageCount: number;
  /** Its keys stand for the whole batch. */
  readonly first: OutgoingMessage;
}

/** SEND of a batch of two or more; `payload` is what {@link BatchPayload} gathered, compressed or not. */
export function encodeBatch(header: BatchHeader, payload: readonly Uint8Array[]): EncodedSend {
  const payloadBytes = payload.reduce((sum, piece) => sum + piece.length, 0);
  const writer = new ByteWriter(256);
  const metadataAt = startFrame(writer, header, header.messageCount, header.highestSequenceId);
  const { key, orderingKey } = header.first;
  startMetadata(writer, header);
  writeKey(writer, 0x32, key);
  // A batch that is not compressed has no use for its size.
  if (header.compressed !== undefined) writeCompression(writer, header.compressed, payloadBytes);
  writer.byte(0x58);
  writer.varint(header.messageCount);
  writeSchemaVersion(writer, header.schemaVersion);
  if (key !== undefined) writeUint16Field(writer, 0x88, isBytes(key) ? 1 : 0);
  writeEntryOrderingKey(writer, orderingKey);
  writeUint16Field(writer, 0xc0, header.highestSequenceId);
  return finishFrame(writer, metadataAt, payload, payloadBytes);
}

/** The messages of one batch, each behind its SingleMessageMetadata. Large values are referred to, small ones gathered. */
export class BatchPayload {
  readonly #pieces: Uint8Array[] = [];
  readonly #closed: ByteWriter[] = [];
  #writer: ByteWriter;
  #closedBytes = 0;
  #referredBytes = 0;

  /** @param capacity bytes that will probably be gathered. */
  constructor(capacity: number) {
    this.#writer = new ByteWriter(capacity, frameBuffers);
  }

  /** Bytes so far, metadata included. */
  get bytes(): number {
    return this.#closedBytes + this.#writer.length;
  }

  add(message: OutgoingMessage, sequenceId: number): void {
    const writer = this.#writer;
    const sizeAt = writer.length;
    writer.uint32(0);
    writeProperties(writer, 0x0a, message.properties);
    const { key, orderingKey } = message;
    writeKey(writer, 0x12, key);
    writer.byte(0x18);
    writer.varint(message.value.length);
    writeEventTime(writer, 0x28, message.eventTime);
    if (key !== undefined) {
      writer.byte(0x30);
      writer.byte(isBytes(key) ? 1 : 0);
    }
    if (orderingKey !== undefined) {
      writer.byte(0x3a);
      writer.prefixed(orderingKey);
    }
    writer.byte(0x40);
    writer.varint(sequenceId);
    writer.patchUint32(sizeAt, writer.length - sizeAt - 4);
    if (message.value.length <= gatherBelowBytes) writer.raw(message.value);
    else this.#refer(message.value);
  }

  /** Those of them that were copied here: metadata, and small values. */
  get gatheredBytes(): number {
    return this.bytes - this.#referredBytes;
  }

  /** Bytes of memory that it takes beside the values it refers to. */
  get heldBytes(): number {
    let bytes = this.#writer.capacity;
    for (const writer of this.#closed) bytes += writer.capacity;
    return bytes;
  }

  /** The whole payload; nothing may be added afterwards. */
  pieces(): readonly Uint8Array[] {
    if (this.#writer.length > 0) this.#closeWriter();
    return this.#pieces;
  }

  /** Lets others write over what was gathered: nobody reads {@link pieces} any more. Once, and nothing may be added afterwards. */
  release(): void {
    for (const writer of this.#closed.splice(0)) writer.release();
    this.#writer.release();
  }

  #refer(value: Uint8Array): void {
    this.#closeWriter();
    this.#pieces.push(value);
    this.#closedBytes += value.length;
    this.#referredBytes += value.length;
  }

  #closeWriter(): void {
    this.#pieces.push(this.#writer.bytes());
    this.#closedBytes += this.#writer.length;
    this.#closed.push(this.#writer);
    this.#writer = new ByteWriter(nextCapacity, frameBuffers);
  }
}

/** Of what is gathered behind a value that is referred to: the next message's metadata, as a rule. */
const nextCapacity = 1_024;

/** UTF-8 takes no more for a unit of a JavaScript text. */
const maxBytesPerUnit = 3;

/**
 * Bytes that `message` adds to a batch at most: what {@link BatchPayload.add} writes, or some hundred more. To measure texts
 * exactly costs more than the message that a batch now and then goes without.
 */
export function batchedSize(message: OutgoingMessage): number {
  const { key, orderingKey, properties } = message; // once: a source may make its properties when they are asked for
  let size = message.value.length + 40;
  if (orderingKey !== undefined) size += orderingKey.length + 6;
  if (key !== undefined) size += key.length * maxBytesPerUnit + 6;
  for (const name in properties) {
    size += (name.length + (properties[name]?.length ?? 0)) * maxBytesPerUnit + 12;
  }
  return size;
}

/**
 * Whether the checksum in a frame's head still fits its bytes: not when a value was changed after `send`.
 */
export function checksumHolds(pieces: readonly Uint8Array[]): boolean {
  const head = pieces[0];
  if (head === undefined) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const checksumAt = 8 + view.getUint32(4) + 2;
  let crc = crc32c(head.subarray(checksumAt + 4), 0);
  for (const piece of pieces.slice(1)) crc = crc32c(piece, crc);
  return crc === view.getUint32(checksumAt);
}

/** Writes everything before the metadata. @returns where the metadata's size field is. */
function startFrame(writer: ByteWriter, header: SendHeader, messageCount: number, highest: number): number {
  writer.uint32(0);
  writer.uint32(0);
  writer.byte(0x08);
  writer.byte(0x06);
  writer.byte(0x32);
  let sendBytes = 2 + varintSize(header.producerId) + varintSize(header.sequenceId);
  if (messageCount > 0) sendBytes += 2 + varintSize(messageCount) + varintSize(highest);
  writer.byte(sendBytes); // at most four varints: always below 0x80
  writer.byte(0x08);
  writer.varint(header.producerId);
  writer.byte(0x10);
  writer.varint(header.sequenceId);
  if (messageCount > 0) {
    writer.byte(0x18);
    writer.varint(messageCount);
    writer.byte(0x30);
    writer.varint(highest);
  }
  writer.patchUint32(4, writer.length - 8);
  writer.byte(checksumMagic >>> 8);
  writer.byte(checksumMagic & 0xff);
  writer.uint32(0);
  writer.uint32(0);
  return writer.length - 4;
}

function startMetadata(writer: ByteWriter, header: SendHeader): void {
  writer.byte(0x0a);
  writer.text(header.producerName);
  writer.byte(0x10);
  writer.varint(header.sequenceId);
  writer.byte(0x18);
  writer.varint(header.publishTime);
}

function writeCompression(
  writer: ByteWriter,
  compressed: CompressedAs | undefined,
  payloadBytes: number,
): void {
  if (compressed !== undefined) {
    writer.byte(0x40);
    writer.varint(compressed.type);
  }
  writer.byte(0x48);
  writer.varint(compressed === undefined ? payloadBytes : compressed.uncompressedBytes);
}

function writeSchemaVersion(writer: ByteWriter, version: Uint8Array): void {
  if (version.length === 0) return;
  writer.byte(0x82); // field 16
  writer.byte(0x01);
  writer.prefixed(version);
}

/** A varint field whose number is 16 or more, so that its tag takes two bytes. */
function writeUint16Field(writer: ByteWriter, firstTagByte: number, value: number): void {
  writer.byte(firstTagByte);
  writer.byte(0x01);
  writer.varint(value);
}

type Key = OutgoingMessage["key"];

function isBytes(key: Key): boolean {
  return key !== undefined && typeof key !== "string";
}

function writeKey(writer: ByteWriter, tag: number, key: Key): void {
  if (key === undefined) return;
  writer.byte(tag);
  writer.text(keyText(key));
}

/** Of MessageMetadata; its number there takes two bytes. */
function writeEntryOrderingKey(writer: ByteWriter, orderingKey: Uint8Array | undefined): void {
  if (orderingKey === undefined) return;
  writer.byte(0x92);
  writer.byte(0x01);
  writer.prefixed(orderingKey);
}

/** As Java does, only a time after the epoch; what is no time at all is left out. */
function writeEventTime(writer: ByteWriter, tag: number, eventTime: number | undefined): void {
  if (eventTime === undefined || !(eventTime >= 1 && eventTime <= Number.MAX_SAFE_INTEGER)) return;
  writer.byte(tag);
  writer.varint(Math.floor(eventTime));
}

function writeProperties(
  writer: ByteWriter,
  tag: number,
  properties: Readonly<Record<string, string>> | undefined,
): void {
  for (const name in properties) {
    const value = properties[name];
    if (value === undefined) continue;
    writer.byte(tag);
    const start = writer.startLength();
    writer.byte(0x0a);
    writer.text(name);
    writer.byte(0x12);
    writer.text(value);
    writer.endLength(start);
  }
}

function finishFrame(
  writer: ByteWriter,
  metadataAt: number,
  payload: readonly Uint8Array[],
  payloadBytes: number,
): EncodedSend {
  writer.patchUint32(metadataAt, writer.length - metadataAt - 4);
  writer.patchUint32(0, writer.length - 4 + payloadBytes);
  const head = writer.bytes();
  let crc = crc32c(head.subarray(metadataAt), 0);
  for (const piece of payload) crc = crc32c(piece, crc);
  writer.patchUint32(metadataAt - 4, crc);
  return { pieces: [head, ...payload], messageBytes: writer.length - metadataAt - 4 + payloadBytes };
}
