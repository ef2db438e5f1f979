import { type Checkpoint, formatCheckpoint, subSequenceOf } from "../checkpoint.ts";

/**
 * How the records of a shard are numbered, as its lease row keeps it: from 0 within an epoch, aggregates unpacked.
 *
 * It says nothing once the row has another checkpoint than the one it belongs to: somebody has read on who does not number.
 */
export interface Numbering {
  /** Never used again for other records. */
  readonly epoch: string;
  /** What is counted: with other options the same records get other numbers. */
  readonly version: string;
  readonly belongsTo: NumberedCheckpoint;
  readonly base: /** The number of the record at the checkpoint. */
    | { readonly kind: "ordinal"; readonly ordinal: number }
    /** No checkpoint was stored in this epoch: it began with this Kinesis record, the first that was fetched. */
    | { readonly kind: "anchor"; readonly sequenceNumber: string };
}

/** A checkpoint by its text; of one that is none yet, what tells where it has the shard begin. */
export interface NumberedCheckpoint {
  readonly sequenceNumber: string;
  readonly subSequenceNumber: number;
}

/** @param startTimeMs what AT_TIMESTAMP means here: the row does not say it. */
export function numberedCheckpoint(checkpoint: Checkpoint, startTimeMs?: number): NumberedCheckpoint {
  const text = formatCheckpoint(checkpoint);
  return {
    sequenceNumber: startTimeMs === undefined ? text : `${text} ${startTimeMs}`,
    subSequenceNumber: subSequenceOf(checkpoint),
  };
}

/** Whether both say the same. */
export function sameNumbering(one: Numbering | undefined, other: Numbering | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.epoch === other.epoch && one.version === other.version && sameBase(one, other);
}

export function sameCheckpoint(one: NumberedCheckpoint, other: NumberedCheckpoint): boolean {
  return one.sequenceNumber === other.sequenceNumber && one.subSequenceNumber === other.subSequenceNumber;
}

function sameBase(
  { base: one, belongsTo }: Numbering,
  { base: other, belongsTo: others }: Numbering,
): boolean {
  if (!sameCheckpoint(belongsTo, others)) return false;
  if (one.kind === "anchor") return other.kind === "anchor" && one.sequenceNumber === other.sequenceNumber;
  return other.kind === "ordinal" && one.ordinal === other.ordinal;
}
