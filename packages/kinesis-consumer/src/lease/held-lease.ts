import type { Clock, ConnectorError } from "@pulsar-ts-io/core";
import { compareCheckpoints } from "../checkpoint.ts";
import { LeaseLostError } from "../errors.ts";
import { type Lease, readerOf } from "./lease.ts";
import type { LeaseChange, LeaseTable, WriteOutcome } from "./lease-table.ts";
import { type Numbering, sameNumbering } from "./numbering.ts";
import type { RenewalLine } from "./renewal-line.ts";

/** How an owner's write has ended, from the owner's point of view. */
export type HeldWrite =
  | { readonly kind: "written" }
  | { readonly kind: "lost" }
  | { readonly kind: "failed"; readonly error: ConnectorError };

interface SentWrite {
  readonly change: LeaseChange;
  /** Monotonic milliseconds, just before it was sent. */
  readonly sentMs: number;
}

export interface HeldLeaseOptions {
  readonly clock: Clock;
  /** How long a lease lasts after the last write, milliseconds. */
  readonly failoverMs: number;
  /** When the write that gave us the lease was sent, monotonic milliseconds. */
  readonly takenMs: number;
  /** Where its writes wait for their turn. */
  readonly line: RenewalLine;
}

/**
 * One lease while it is ours: its writes, one at a time, and the moment from which it must be treated as lost.
 *
 * The deadline counts from just before the last successful write was sent: another worker's clock starts no earlier.
 */
export class HeldLease {
  readonly #table: LeaseTable;
  readonly #clock: Clock;
  readonly #failoverMs: number;
  readonly #line: RenewalLine;
  readonly #ended = new AbortController();
  readonly #handOff = new AbortController();
  /** Writes since the last certain one whose outcome is unknown: one of them may have landed. */
  #uncertain: SentWrite[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #lease: Lease;
  #renewedMs: number;
  #lost = false;

  constructor(table: LeaseTable, lease: Lease, options: HeldLeaseOptions) {
    this.#table = table;
    this.#lease = lease;
    this.#clock = options.clock;
    this.#failoverMs = options.failoverMs;
    this.#renewedMs = options.takenMs;
    this.#line = options.line;
  }

  /** The row as last seen. */
  get lease(): Lease {
    return this.#lease;
  }

  /** When the last successful write was sent, monotonic milliseconds. */
  get renewedMs(): number {
    return this.#renewedMs;
  }

  /** Whether it ended without our will. */
  get lost(): boolean {
    return this.#lost;
  }

  /** From when on the lease must be treated as lost, monotonic milliseconds. */
  get deadlineMs(): number {
    return this.#renewedMs + this.#failoverMs;
  }

  /** Aborts, with a LeaseLostError (`PIO_LEASE_LOST`), when the lease is lost, released or dropped. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /**
   * Aborts when another worker is to go on, by its own request or by a KCL 3 leader's. The lease is ours until it is released: no
   * more is read, what was read is settled, and the release hands it over.
   */
  get handOff(): AbortSignal {
    return this.#handOff.signal;
  }

  /** Whether a record may still be handed out. Asked before each: a paused process finds here that its time is over. */
  get live(): boolean {
    if (this.#ended.signal.aborted) return false;
    if (this.#clock.monotonic() < this.deadlineMs) return true;
    this.#lose(`it was not renewed for ${this.#failoverMs} ms`);
    return false;
  }

  /**
   * Writes what `change` says once the writes before it are done.
   *
   * @param change asked when its turn has come, so that what it stores is never older than what was stored before.
   */
  write(change: () => LeaseChange, signal: AbortSignal): Promise<HeldWrite> {
    const done = this.#turn.then(() =>
      this.#line.inTurn(this.deadlineMs, () => this.#writeNow(change, signal), signal),
    );
    this.#turn = done.catch(() => {});
    return done;
  }

  /** Gives the lease up without writing, once the writes under way are done. */
  async drop(): Promise<void> {
    await this.#turn;
    this.#end("given up");
  }

  async #writeNow(change: () => LeaseChange, signal: AbortSignal): Promise<HeldWrite> {
    // At most two rounds for each uncertain write, and one for each change of who is to have the lease next: one that does not
    // return settles them all.
    while (this.live) {
      const sent: SentWrite = { change: this.#forwards(change()), sentMs: this.#clock.monotonic() };
      const outcome = await this.#send(sent, signal);
      if (outcome.kind === "failed") {
        if (outcome.mayHaveLanded) this.#uncertain.push(sent);
        return outcome;
      }
      if (outcome.kind === "written") return this.#confirm(outcome.lease, sent);
      const settled = this.#refused(outcome, sent);
      if (settled !== undefined) return settled;
    }
    return { kind: "lost" };
  }

  /** Finds out what a refusal means. @returns how the write ended, or `undefined` when it is to be sent again. */
  #refused(outcome: WriteOutcome & { kind: "refused" }, sent: SentWrite): HeldWrite | undefined {
    const { current } = outcome;
    if (this.#isHandOff(current) || this.#isWithdrawal(current)) {
      // Our writes were refused since then, and the counter says that none landed before.
      this.#uncertain = [];
      this.#see(current);
      return undefined;
    }
    const landed = this.#whichLanded(outcome, sent);
    if (landed === undefined || current === undefined) {
      this.#lose(describeRefusal(this.#lease, current));
      return { kind: "lost" };
    }
    const confirmed = this.#confirm(current, landed);
    return landed === sent || this.#ended.signal.aborted ? confirmed : undefined;
  }

  async #send(sent: SentWrite, signal: AbortSignal): Promise<WriteOutcome> {
    try {
      return await this.#table.write(this.#lease, sent.change, signal);
    } catch (error) {
      // Cut short by its caller: the store may have it all the same.
      this.#uncertain.push(sent);
      throw error;
    }
  }

  /** Without a checkpoint that is not past the stored one: what was asked for before SHARD_END was written may come after it. */
  #forwards(change: LeaseChange): LeaseChange {
    const { checkpoint, numbering: _its, ...rest } = change;
    if (checkpoint === undefined || compareCheckpoints(checkpoint, this.#lease.checkpoint) > 0) return change;
    return rest;
  }

  #confirm(lease: Lease, sent: SentWrite): HeldWrite {
    this.#renewedMs = sent.sentMs;
    this.#uncertain = [];
    this.#see(lease);
    if (sent.change.release === true) this.#end("released");
    return { kind: "written" };
  }

  #see(lease: Lease): void {
    this.#lease = lease;
    if (lease.checkpointOwner === undefined || this.#handOff.signal.aborted) return;
    const { shardId, owner } = lease;
    this.#handOff.abort(new Error(`the lease of ${shardId} is to be handed to ${owner ?? "nobody"}`));
  }

  /** A hand-off leaves the counter alone and names us as the worker that still reads. @see LeaseGracefulShutdownHandler in KCL 3 */
  #isHandOff(current: Lease | undefined): current is Lease {
    const { owner, counter, checkpointOwner } = this.#lease;
    if (current === undefined || checkpointOwner !== undefined || owner === undefined) return false;
    return current.counter === counter && current.checkpointOwner === owner && current.owner !== owner;
  }

  /** Whoever was to have the lease wants it no more. It is still given up, to nobody: its reading has ended. */
  #isWithdrawal(current: Lease | undefined): current is Lease {
    const { counter, checkpointOwner } = this.#lease;
    if (current === undefined || checkpointOwner === undefined) return false;
    return (
      current.counter === counter &&
      current.owner === checkpointOwner &&
      current.checkpointOwner === undefined
    );
  }

  /** The write of ours that made the row what it is, if one did. KCL asks for the owner and the counter only, and only for renewals. */
  #whichLanded(outcome: WriteOutcome & { kind: "refused" }, sent: SentWrite): SentWrite | undefined {
    const candidates = outcome.retried ? [...this.#uncertain, sent] : this.#uncertain;
    const { current } = outcome;
    if (current === undefined || current.counter !== this.#lease.counter + 1) return undefined;
    return candidates.find(({ change }) => {
      const checkpoint = change.checkpoint ?? this.#lease.checkpoint;
      return (
        readerOf(current) === readerAfter(this.#lease, change) &&
        compareCheckpoints(current.checkpoint, checkpoint) === 0 &&
        sameNumbering(current.numbering, numberingAfter(this.#lease, change))
      );
    });
  }

  #lose(why: string): void {
    if (this.#ended.signal.aborted) return;
    this.#lost = true;
    this.#end(`lost: ${why}`);
  }

  #end(how: string): void {
    const { shardId, counter } = this.#lease;
    this.#ended.abort(new LeaseLostError(`lease of ${shardId} ${how}`, { details: { shardId, counter } }));
  }
}

/** Who reads `lease` once `change` was written. */
function readerAfter(lease: Lease, change: LeaseChange): string | undefined {
  if (change.release !== true) return readerOf(lease);
  return lease.checkpointOwner === undefined ? undefined : lease.owner;
}

function numberingAfter({ numbering }: Lease, change: LeaseChange): Numbering | undefined {
  if (change.numbering !== undefined) return change.numbering;
  return change.checkpoint?.kind === "shard-end" ? undefined : numbering;
}

function describeRefusal(held: Lease, current: Lease | undefined): string {
  if (current === undefined) return "its row is gone";
  if (current.checkpointOwner !== undefined && current.checkpointOwner !== readerOf(held)) {
    return `${current.checkpointOwner} hands it to ${current.owner ?? "nobody"}`;
  }
  if (readerOf(current) === readerOf(held)) return "a possible duplicate of this worker's id wrote it";
  return current.owner === undefined ? "it was evicted" : `${current.owner} owns it`;
}
