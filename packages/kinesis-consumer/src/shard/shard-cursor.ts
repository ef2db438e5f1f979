import type { StartPosition } from "@pulsar-ts-io/core";
import { IllegalStateError } from "@pulsar-ts-io/core";
import { comparePositions, type Position } from "../checkpoint.ts";
import type { Lease } from "../lease/lease.ts";
import type { ReadPosition } from "./kinesis-stream.ts";

/**
 * Where one reading of a shard stands.
 *
 * Until a record was accepted in this run every opening repeats the checkpoint's own position, and what the checkpoint
 * covers is dropped. Opening after a *stored* position would skip the rest of a KPL aggregate.
 */
export class ShardCursor {
  readonly #atCheckpoint: ReadPosition;
  #start: ReadPosition;
  readonly #stored: Position | undefined;
  #accepted: string | undefined;

  /**
   * @param initial what a lease at AT_TIMESTAMP means, and one at LATEST that has no start time yet.
   * @param anchor the record that was once the first to be fetched from there: it is opened at.
   */
  constructor(lease: Lease, initial: StartPosition, anchor?: string) {
    this.#atCheckpoint = startOf(lease, initial);
    this.#start = anchor === undefined ? this.#atCheckpoint : { kind: "at-sequence", sequenceNumber: anchor };
    this.#stored = lease.checkpoint.kind === "after" ? lease.checkpoint : undefined;
  }

  get position(): ReadPosition {
    return this.#accepted === undefined
      ? this.#start
      : { kind: "after-sequence", sequenceNumber: this.#accepted };
  }

  /** Opens where the checkpoint says after all: the service refuses the anchor. @returns false when it is opened there already. */
  leaveAnchor(): boolean {
    if (this.#start === this.#atCheckpoint || this.#accepted !== undefined) return false;
    this.#start = this.#atCheckpoint;
    return true;
  }

  /** Whether a record is past the checkpoint that this reading started from. */
  isNew(sequenceNumber: string, subSequenceNumber: number): boolean {
    // In order from the service: once one was accepted, all that follow are new.
    if (this.#stored === undefined || this.#accepted !== undefined) return true;
    return comparePositions({ sequenceNumber: BigInt(sequenceNumber), subSequenceNumber }, this.#stored) > 0;
  }

  /** All user records of this Kinesis record, and of those before it, have been taken in. */
  accept(sequenceNumber: string): void {
    this.#accepted = sequenceNumber;
  }
}

function startOf(lease: Lease, initial: StartPosition): ReadPosition {
  const { checkpoint } = lease;
  switch (checkpoint.kind) {
    case "after":
      return { kind: "at-sequence", sequenceNumber: checkpoint.sequenceNumber.toString() };
    case "trim-horizon":
      return { kind: "trim-horizon" };
    case "at-timestamp":
      // Only possible when the configuration changed: the row does not say which time was meant.
      if (initial.kind !== "at-timestamp") return { kind: "trim-horizon" };
      return { kind: "at-timestamp", epochMs: initial.epochMs };
    case "latest":
      if (lease.startTimeMs === undefined) throw new IllegalStateError("a lease at LATEST has no start time");
      return { kind: "at-timestamp", epochMs: lease.startTimeMs };
    case "shard-end":
      throw new IllegalStateError("a finished shard is not read");
    default:
      return checkpoint satisfies never;
  }
}
