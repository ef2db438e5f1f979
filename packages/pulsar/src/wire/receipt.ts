import { readPrefixed, skipField } from "./field-table.ts";
import { VarintReader } from "./varint.ts";

/** SEND_RECEIPT, decoded by hand because one comes for each frame sent. */
export interface Receipt {
  readonly producerId: number;
  readonly sequenceId: number;
  /** Of a batch its highest id; of a single message 0 or -1, which says nothing. */
  readonly highestSequenceId: number;
  /** -1 together with `entryId` -1: the broker stored nothing. */
  readonly ledgerId: bigint;
  readonly entryId: bigint;
}

/** @throws RangeError when `content` is malformed or lacks a required field. */
export function readReceipt(content: Uint8Array): Receipt {
  const reader = new VarintReader(content);
  let producerId: number | undefined;
  let sequenceId: number | undefined;
  let highestSequenceId = 0;
  let position: Position = { ledgerId: -1n, entryId: -1n };
  while (reader.offset < reader.end) {
    const tag = reader.number();
    if (tag === 0x08) producerId = reader.number();
    else if (tag === 0x10) sequenceId = reader.number();
    else if (tag === 0x1a) position = readPosition(readPrefixed(reader));
    else if (tag === 0x20) highestSequenceId = reader.number();
    else skipField(reader, tag & 7);
  }
  if (producerId === undefined || sequenceId === undefined) throw new RangeError("a receipt lacks its ids");
  return { producerId, sequenceId, highestSequenceId, ...position };
}

interface Position {
  readonly ledgerId: bigint;
  readonly entryId: bigint;
}

function readPosition(content: Uint8Array): Position {
  const reader = new VarintReader(content);
  let ledgerId = -1n;
  let entryId = -1n;
  while (reader.offset < reader.end) {
    const tag = reader.number();
    if (tag === 0x08) ledgerId = reader.long();
    else if (tag === 0x10) entryId = reader.long();
    else skipField(reader, tag & 7);
  }
  return { ledgerId, entryId };
}
