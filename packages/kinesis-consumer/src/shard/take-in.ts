import type { UserRecord } from "../aggregate/deaggregate.ts";
import { KinesisRecord, type RecordPlace } from "../kinesis-record.ts";
import type { RawRecord } from "./kinesis-stream.ts";
import type { ShardCursor } from "./shard-cursor.ts";
import type { Unpacking } from "./unpacking.ts";

/** Where the records of a page go. */
interface Reading {
  readonly place: RecordPlace;
  readonly cursor: ShardCursor;
  readonly unpack: Unpacking["unpack"];
}

/** What of a page was not read before. */
interface TakenIn {
  readonly records: KinesisRecord[];
  /** What was in the page once aggregates were unpacked. */
  readonly unpacked: number;
}

/** Takes in what of a page the checkpoint does not cover. */
export function takeIn(page: readonly RawRecord[], reading: Reading): TakenIn {
  const { place, cursor, unpack } = reading;
  const records: KinesisRecord[] = [];
  let unpacked = 0;
  for (const raw of page) {
    const sequenceNumber = raw.SequenceNumber ?? "";
    const parts = unpack(raw);
    unpacked += parts?.length ?? 1;
    if (parts !== undefined) takeInParts(raw, parts, { place, cursor, records });
    else if (cursor.isNew(sequenceNumber, 0)) {
      records.push(new KinesisRecord(raw, place));
      cursor.accept(sequenceNumber);
    }
  }
  return { records, unpacked };
}

/** The same for an aggregate: the checkpoint may end in the middle. */
function takeInParts(
  raw: RawRecord,
  parts: readonly UserRecord[],
  to: Pick<Reading, "place" | "cursor"> & Pick<TakenIn, "records">,
): void {
  const sequenceNumber = raw.SequenceNumber ?? "";
  const last = parts.length - 1;
  // An aggregate of which nothing is delivered need not be read again either.
  if (!to.cursor.isNew(sequenceNumber, Math.max(0, last))) return;
  for (const [subSequenceNumber, { partitionKey, data }] of parts.entries()) {
    if (!to.cursor.isNew(sequenceNumber, subSequenceNumber)) continue;
    const endsRecord = subSequenceNumber === last;
    to.records.push(new KinesisRecord(raw, to.place, { partitionKey, data, subSequenceNumber, endsRecord }));
  }
  to.cursor.accept(sequenceNumber);
}
