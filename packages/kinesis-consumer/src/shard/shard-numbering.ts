import { randomUUID } from "node:crypto";
import { IllegalStateError, type StartPosition } from "@pulsar-ts-io/core";
import type { Checkpoint } from "../checkpoint.ts";
import type { AggregateHandling } from "../consumer-options.ts";
import type { Lease } from "../lease/lease.ts";
import {
  type NumberedCheckpoint,
  type Numbering,
  numberedCheckpoint,
  sameCheckpoint,
} from "../lease/numbering.ts";
import type { HashKeyRange, ShardId } from "./shard.ts";

/** Grows when the same aggregate comes to be unpacked otherwise. */
const unpackingVersion = 1;

/** Why the records of a shard are numbered from 0 again. */
export type NewEpochReason =
  /** The row has no numbers. */
  | "none-stored"
  /** Somebody who does not number, such as a worker of Java's, or an operator, has moved the checkpoint. */
  | "checkpoint-moved"
  /** Aggregates are unpacked otherwise than before. */
  | "aggregates-differ"
  /** The record at which the numbers go on is not there any more. */
  | "record-gone";

/** The number that the first record of this reading gets. */
export type Beginning =
  | { readonly kind: "continued" }
  /** To be stored before the first record is handed out. */
  | { readonly kind: "new"; readonly numbering: Numbering; readonly why: NewEpochReason };

/**
 * Numbers the records of one shard for as long as its lease is ours: a record gets the same number whoever reads it, and however often.
 *
 * The numbers go on only where the row proves that the next record is the one that comes after the checkpoint's. Anything else is a
 * new epoch, from 0: never a number that another record has had.
 */
export class ShardNumbering {
  readonly #applicationName: string;
  readonly #shardId: ShardId;
  /** Of the epoch that begins here if one does: the same at each attempt to store it. */
  readonly #newEpoch = randomUUID();
  #row: { readonly belongsTo: NumberedCheckpoint; readonly stored: Numbering | undefined } | undefined;
  #current: { readonly epoch: string; readonly version: string; readonly first: number } | undefined;

  constructor(applicationName: string, shardId: ShardId) {
    this.#applicationName = applicationName;
    this.#shardId = shardId;
  }

  /** Names this epoch of the shard, of this application; `undefined` before {@link begin}. */
  get partitionId(): string | undefined {
    if (this.#current === undefined) return undefined;
    return `${this.#applicationName}/${this.#shardId}/${this.#current.epoch}`;
  }

  /** The number of the first record of this reading; 0 before {@link begin}. */
  get first(): number {
    return this.#current?.first ?? 0;
  }

  /**
   * Looks at the row before the shard is opened.
   *
   * @returns the record to open it at instead of where the checkpoint says: the first of an epoch of which nothing is stored yet.
   */
  resume(lease: Lease, initial: StartPosition): string | undefined {
    const { checkpoint, numbering } = lease;
    const ofConfig = checkpoint.kind === "at-timestamp" && initial.kind === "at-timestamp";
    const belongsTo = numberedCheckpoint(checkpoint, ofConfig ? initial.epochMs : undefined);
    this.#row = { belongsTo, stored: numbering };
    if (numbering?.base.kind !== "anchor" || !sameCheckpoint(numbering.belongsTo, belongsTo))
      return undefined;
    return numbering.base.sequenceNumber;
  }

  /** @param firstSequenceNumber of the first record that was fetched. @param version see {@link numberingVersion}. */
  begin(firstSequenceNumber: string, version: string): Beginning {
    if (this.#row === undefined) throw new IllegalStateError("the row was not looked at");
    const { belongsTo, stored } = this.#row;
    const why = whyNew(stored, { belongsTo, version, firstSequenceNumber });
    if (stored !== undefined && why === undefined) {
      const first = stored.base.kind === "ordinal" ? stored.base.ordinal + 1 : 0;
      this.#current = { epoch: stored.epoch, version, first };
      return { kind: "continued" };
    }
    const epoch = this.#newEpoch;
    this.#current = { epoch, version, first: 0 };
    const base = { kind: "anchor", sequenceNumber: firstSequenceNumber } as const;
    return { kind: "new", numbering: { epoch, version, belongsTo, base }, why: why ?? "none-stored" };
  }

  /** What is to be stored with a checkpoint. @param delivery which of the records delivered in this reading is the one at it. */
  at(checkpoint: Checkpoint, delivery: number): Numbering | undefined {
    if (this.#current === undefined) return undefined;
    const { epoch, version, first } = this.#current;
    const base = { kind: "ordinal", ordinal: first + delivery } as const;
    return { epoch, version, belongsTo: numberedCheckpoint(checkpoint), base };
  }
}

/** What was found; `undefined` when the numbers of the row go on from there. */
function whyNew(
  stored: Numbering | undefined,
  found: {
    readonly belongsTo: NumberedCheckpoint;
    readonly version: string;
    readonly firstSequenceNumber: string;
  },
): NewEpochReason | undefined {
  if (stored === undefined) return "none-stored";
  if (!sameCheckpoint(stored.belongsTo, found.belongsTo)) return "checkpoint-moved";
  if (stored.version !== found.version) return "aggregates-differ";
  const at = stored.base.kind === "anchor" ? stored.base.sequenceNumber : stored.belongsTo.sequenceNumber;
  return found.firstSequenceNumber === at ? undefined : "record-gone";
}

/** Tells apart what would give the same records other numbers. @param range of the shard, where an aggregate is held against it. */
export function numberingVersion(aggregates: AggregateHandling, range: HashKeyRange | undefined): string {
  if (aggregates.kind === "keep") return "whole";
  const unpacked = `unpacked-${unpackingVersion}`;
  return range === undefined ? unpacked : `${unpacked} ${range.start}-${range.end}`;
}
