import { expect } from "vitest";
import { compareCheckpoints } from "../../src/checkpoint.ts";
import type { KinesisRecord } from "../../src/kinesis-record.ts";
import { type Lease, readerOf } from "../../src/lease/lease.ts";
import type { Caller, Rig } from "../support/rig.ts";

/** After so long without a renewal a lease may be another's. */
export const leaseMs = 10_000;
/** The same for another start of the same instance: two renewals, and what KCL's may be late. */
const sameInstanceMs = 7_116;
/** So long a worker that was asked for a lease waits for what it has read to be acknowledged. */
const handOffMs = 20_000;

/** One worker's time with a shard, from the taking of its lease to the release. */
export interface Hold {
  /** When its last write was stored, and when the last of which it knows that was sent. */
  writtenMs: number;
  knownMs: number;
  /** The last record it was given. */
  last: KinesisRecord | undefined;
}

/** Who may have a lease, and how it changes hands: held against each write of the table. */
export class LeasePromises {
  readonly #rig: Rig;
  readonly #holds = new Map<string, Hold>();
  /** Of each shard, when its row was last written by its reader, and when it was first asked for since its reader took it. */
  readonly #writtenMs = new Map<string, number>();
  readonly #askedMs = new Map<string, number>();
  readonly #leaving = new Set<string>();

  constructor(rig: Rig) {
    this.#rig = rig;
  }

  /** This worker is being closed: it waits for nothing. */
  leaving(workerId: string): void {
    this.#leaving.add(workerId);
  }

  hold(workerId: string, shardId: string): Hold | undefined {
    return this.#holds.get(`${workerId} ${shardId}`);
  }

  /** A worker asked another for its lease. */
  asked({ shardId }: Lease): void {
    // A request that is withdrawn and made again gives its reader no more time to settle.
    if (!this.#askedMs.has(shardId)) this.#askedMs.set(shardId, this.#rig.clock.monotonic());
  }

  taken(row: Lease, before: Lease, answered: boolean): void {
    const caller = this.#writer(row, row);
    this.#checkTake(before, caller);
    this.#askedMs.delete(row.shardId);
    this.#written(row, caller, answered, { last: undefined, knownMs: Number.NEGATIVE_INFINITY });
  }

  /** Its reader renewed, stored a checkpoint or released it. */
  written(row: Lease, before: Lease, answered: boolean): void {
    const caller = this.#writer(row, before);
    const known = this.hold(caller.workerId, row.shardId);
    const handedOver = before.checkpointOwner !== undefined && row.checkpointOwner === undefined;
    if (handedOver && known !== undefined) this.#checkHandOver(row, caller, known);
    this.#written(row, caller, answered, known);
    if (readerOf(row) !== caller.workerId) this.#holds.delete(`${caller.workerId} ${row.shardId}`);
  }

  #writer({ shardId }: Lease, lease: Lease): Caller {
    const { caller } = this.#rig;
    const reader = readerOf(lease);
    expect(caller?.workerId, `${shardId} was written to by one who does not read it`).toBe(reader);
    if (caller === undefined) throw new Error(`${shardId} was written to by nobody`);
    return caller;
  }

  #written(
    { shardId }: Lease,
    { workerId, sentMs }: Caller,
    answered: boolean,
    known: Pick<Hold, "last" | "knownMs"> | undefined,
  ): void {
    const writtenMs = this.#rig.clock.monotonic();
    const knownMs = answered ? sentMs : (known?.knownMs ?? Number.NEGATIVE_INFINITY);
    this.#writtenMs.set(shardId, writtenMs);
    this.#holds.set(`${workerId} ${shardId}`, { writtenMs, knownMs, last: known?.last });
  }

  /** A lease that was not released is anyone's when it has expired, and not before: not the taker's own either. */
  #checkTake(before: Lease, { workerId, sentMs }: Caller): void {
    const { shardId, owner } = before;
    const reader = readerOf(before);
    // Released, or given to a worker that has not taken it yet: nobody reads it.
    if (reader === undefined || (reader === owner && before.consumerWorker !== owner)) return;
    if (reader === workerId) {
      const knownMs = this.hold(workerId, shardId)?.knownMs ?? Number.NEGATIVE_INFINITY;
      const why = `${workerId} took ${shardId} a second time, having lost it to nobody`;
      expect(sentMs - knownMs, why).toBeGreaterThanOrEqual(leaseMs);
      return;
    }
    const sameInstance = instanceOf(reader) === instanceOf(workerId);
    const silentMs = this.#rig.clock.monotonic() - (this.#writtenMs.get(shardId) ?? 0);
    const why = `${workerId} took ${shardId}, which ${reader} wrote ${silentMs} ms ago`;
    expect(silentMs, why).toBeGreaterThanOrEqual(sameInstance ? sameInstanceMs : leaseMs);
  }

  /** What is handed over while its lease lives is handed over whole: the next worker repeats nothing. */
  #checkHandOver({ shardId, checkpoint }: Lease, { workerId, sentMs }: Caller, known: Hold): void {
    const { last, knownMs } = known;
    const dueMs = (this.#askedMs.get(shardId) ?? 0) + handOffMs;
    if (last === undefined || this.#leaving.has(workerId)) return;
    if (sentMs >= dueMs || sentMs - knownMs >= leaseMs) return;
    const { sequenceNumber, subSequenceNumber } = last;
    const position = { kind: "after", sequenceNumber: BigInt(sequenceNumber), subSequenceNumber } as const;
    const why = `${workerId} handed ${shardId} over before all that it had read was acknowledged`;
    expect(compareCheckpoints(position, checkpoint), why).toBeLessThanOrEqual(0);
  }
}

/** A worker's name is its instance's, and eight more characters of this start. */
function instanceOf(workerId: string): string {
  return workerId.replace(/-[0-9a-f]{8}$/, "");
}
