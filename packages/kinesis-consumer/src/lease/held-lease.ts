import type { Clock, ConnectorError } from "@pulsar-ts-io/core";
import { compareCheckpoints } from "../checkpoint.ts";
import { LeaseLostError } from "../errors.ts";
import type { Lease } from "./lease.ts";
import type { LeaseChange, LeaseTable, WriteOutcome } from "./lease-table.ts";

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
  readonly #ended = new AbortController();
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
    const done = this.#turn.then(() => this.#writeNow(change, signal));
    this.#turn = done.catch(() => {});
    return done;
  }

  /** Gives the lease up without writing, once the writes under way are done. */
  async drop(): Promise<void> {
    await this.#turn;
    this.#end("given up");
  }

  async #writeNow(change: () => LeaseChange, signal: AbortSignal): Promise<HeldWrite> {
    // At most two rounds for each uncertain write: each round that does not return settles them all.
    while (this.live) {
      const sent: SentWrite = { change: this.#forwards(change()), sentMs: this.#clock.monotonic() };
      const outcome = await this.#send(sent, signal);
      if (outcome.kind === "failed") {
        if (outcome.mayHaveLanded) this.#uncertain.push(sent);
        return outcome;
      }
      if (outcome.kind === "written") return this.#confirm(outcome.lease, sent);
      const landed = this.#whichLanded(outcome, sent);
      if (landed === undefined || outcome.current === undefined) {
        this.#lose(describeRefusal(this.#lease, outcome.current));
        return { kind: "lost" };
      }
      const confirmed = this.#confirm(outcome.current, landed);
      if (landed === sent || this.#ended.signal.aborted) return confirmed;
    }
    return { kind: "lost" };
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
    const { checkpoint, ...rest } = change;
    if (checkpoint === undefined || compareCheckpoints(checkpoint, this.#lease.checkpoint) > 0) return change;
    return rest;
  }

  #confirm(lease: Lease, sent: SentWrite): HeldWrite {
    this.#lease = lease;
    this.#renewedMs = sent.sentMs;
    this.#uncertain = [];
    if (sent.change.release === true) this.#end("released");
    return { kind: "written" };
  }

  /** The write of ours that made the row what it is, if one did. KCL asks for the owner and the counter only, and only for renewals. */
  #whichLanded(outcome: WriteOutcome & { kind: "refused" }, sent: SentWrite): SentWrite | undefined {
    const candidates = outcome.retried ? [...this.#uncertain, sent] : this.#uncertain;
    const { current } = outcome;
    if (current === undefined || current.counter !== this.#lease.counter + 1) return undefined;
    return candidates.find(({ change }) => {
      const owner = change.release === true ? undefined : this.#lease.owner;
      const checkpoint = change.checkpoint ?? this.#lease.checkpoint;
      return current.owner === owner && compareCheckpoints(current.checkpoint, checkpoint) === 0;
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

function describeRefusal(held: Lease, current: Lease | undefined): string {
  if (current === undefined) return "its row is gone";
  if (current.checkpointOwner !== undefined) return `it is being handed to ${current.owner ?? "nobody"}`;
  if (current.owner === held.owner) return "a possible duplicate of this worker's id wrote it";
  return current.owner === undefined ? "it was evicted" : `${current.owner} owns it`;
}
