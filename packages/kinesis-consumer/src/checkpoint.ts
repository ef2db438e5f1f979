import type { StartPosition } from "@pulsar-ts-io/core";
import { LeaseRowError } from "./errors.ts";

/** A place in a shard: a Kinesis record, and the user record within it (0 unless it is a KPL aggregate). */
export interface Position {
  readonly sequenceNumber: bigint;
  /** 0 or more. */
  readonly subSequenceNumber: number;
}

/**
 * How far a shard has been processed, as its lease row stores it.
 *
 * `at-timestamp` carries no time in the row: each worker reads its own configuration.
 * `after` means that this position and everything before it need not be read again.
 */
export type Checkpoint =
  | { readonly kind: "latest" }
  | { readonly kind: "trim-horizon" }
  | { readonly kind: "at-timestamp" }
  | ({ readonly kind: "after" } & Position)
  | { readonly kind: "shard-end" };

const sentinels = {
  LATEST: { kind: "latest" },
  TRIM_HORIZON: { kind: "trim-horizon" },
  AT_TIMESTAMP: { kind: "at-timestamp" },
  SHARD_END: { kind: "shard-end" },
} as const satisfies Record<string, Checkpoint>;

const sentinelTexts = {
  latest: "LATEST",
  "trim-horizon": "TRIM_HORIZON",
  "at-timestamp": "AT_TIMESTAMP",
  "shard-end": "SHARD_END",
} as const;

/**
 * Reads the two attributes of a row.
 *
 * @throws LeaseRowError (`PIO_LEASE_ROW`) when `text` is neither digits nor a sentinel.
 */
export function parseCheckpoint(text: string, subSequenceNumber: number): Checkpoint {
  if (/^\d+$/.test(text)) return { kind: "after", sequenceNumber: BigInt(text), subSequenceNumber };
  if (Object.hasOwn(sentinels, text)) {
    return sentinels[text as keyof typeof sentinels]; // hasOwn: it is one of the keys
  }
  throw new LeaseRowError(`a lease row has the checkpoint "${text}"`, {
    remedy: "correct or delete that row of the lease table",
  });
}

/** The text of the attribute `checkpoint`. */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  return checkpoint.kind === "after" ? checkpoint.sequenceNumber.toString() : sentinelTexts[checkpoint.kind];
}

/** The number of the attribute `checkpointSubSequenceNumber`. */
export function subSequenceOf(checkpoint: Checkpoint): number {
  return checkpoint.kind === "after" ? checkpoint.subSequenceNumber : 0;
}

/** The checkpoint of a lease that nobody has worked on yet. */
export function initialCheckpoint(position: StartPosition): Checkpoint {
  return { kind: position.kind };
}

/** Negative, zero or positive as `a` is before, at or after `b`. */
export function comparePositions(a: Position, b: Position): number {
  if (a.sequenceNumber !== b.sequenceNumber) return a.sequenceNumber < b.sequenceNumber ? -1 : 1;
  return a.subSequenceNumber - b.subSequenceNumber;
}

/** KCL's order: AT_TIMESTAMP, TRIM_HORIZON, LATEST, then the numbers, then SHARD_END. @see ExtendedSequenceNumber in KCL */
export function compareCheckpoints(a: Checkpoint, b: Checkpoint): number {
  if (a.kind === "after" && b.kind === "after") return comparePositions(a, b);
  return ranks[a.kind] - ranks[b.kind];
}

const ranks = { "at-timestamp": -3, "trim-horizon": -2, latest: -1, after: 0, "shard-end": 1 } as const;

/** For people: `5/0`, `TRIM_HORIZON`. */
export function describeCheckpoint(checkpoint: Checkpoint): string {
  return checkpoint.kind === "after"
    ? `${checkpoint.sequenceNumber}/${checkpoint.subSequenceNumber}`
    : sentinelTexts[checkpoint.kind];
}
