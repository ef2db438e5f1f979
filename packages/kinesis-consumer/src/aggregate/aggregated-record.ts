import { hash } from "node:crypto";
import { MessageReader, wireType } from "./message-reader.ts";

const magic = [0xf3, 0x89, 0x9a, 0xc2] as const;
const digestBytes = 16;

/** What a KPL aggregate holds. Keys are shared: a record names its own by an index, which may point nowhere. */
export interface AggregatedRecord {
  readonly partitionKeys: readonly Uint8Array[];
  readonly explicitHashKeys: readonly Uint8Array[];
  readonly records: readonly IndexedRecord[];
}

export interface IndexedRecord {
  readonly partitionKeyIndex: number;
  readonly explicitHashKeyIndex: number | undefined;
  readonly data: Uint8Array;
}

/** Whether it is worth a closer look. Asked for every record: what the first byte settles costs next to nothing. */
export function beginsAsAggregate(data: Uint8Array): boolean {
  return data[0] === magic[0] && data[1] === magic[1] && data[2] === magic[2] && data[3] === magic[3];
}

/**
 * The aggregate in `data`, which {@link beginsAsAggregate}: magic, message, MD5 of the message. Or `undefined` when it is none after all,
 * because the digest is wrong, the message is malformed, or a required field is missing.
 *
 * @see AggregatorUtil and messages.proto in KCL
 */
export function parseAggregate(data: Uint8Array): AggregatedRecord | undefined {
  const end = data.length - digestBytes;
  if (end <= magic.length) return undefined;
  const message = data.subarray(magic.length, end);
  if (!isDigestOf(message, data.subarray(end))) return undefined;
  const reader = new MessageReader(message);
  const partitionKeys: Uint8Array[] = [];
  const explicitHashKeys: Uint8Array[] = [];
  const records: IndexedRecord[] = [];
  while (reader.next()) {
    if (reader.is(1, wireType.bytes)) partitionKeys.push(reader.bytes());
    else if (reader.is(2, wireType.bytes)) explicitHashKeys.push(reader.bytes());
    else if (reader.is(3, wireType.bytes)) {
      const record = readRecord(reader.message());
      if (record === undefined) return undefined;
      records.push(record);
    } else reader.skip();
  }
  return reader.malformed ? undefined : { partitionKeys, explicitHashKeys, records };
}

/** A record without its index or its data is malformed; of a field that is there twice the last one counts. */
function readRecord(reader: MessageReader): IndexedRecord | undefined {
  let partitionKeyIndex: number | undefined;
  let explicitHashKeyIndex: number | undefined;
  let data: Uint8Array | undefined;
  while (reader.next()) {
    if (reader.is(1, wireType.varint)) partitionKeyIndex = reader.varint();
    else if (reader.is(2, wireType.varint)) explicitHashKeyIndex = reader.varint();
    else if (reader.is(3, wireType.bytes)) data = reader.bytes();
    else if (!reader.is(4, wireType.bytes)) reader.skip();
    else if (!isTag(reader.message())) return undefined;
  }
  if (reader.malformed || partitionKeyIndex === undefined || data === undefined) return undefined;
  return { partitionKeyIndex, explicitHashKeyIndex, data };
}

/** A tag says nothing to us, but a malformed one, or one without its key, spoils the whole aggregate. */
function isTag(reader: MessageReader): boolean {
  let hasKey = false;
  while (reader.next()) {
    if (reader.is(1, wireType.bytes)) hasKey = true;
    reader.skip();
  }
  return hasKey && !reader.malformed;
}

function isDigestOf(message: Uint8Array, digest: Uint8Array): boolean {
  return hash("md5", message, "buffer").equals(digest);
}
