import { ConnectorError } from "@pulsar-ts-io/core";
import { subSequenceOf } from "../../src/checkpoint.ts";
import { type Lease, type NewLease, readerOf, type StreamStamp } from "../../src/lease/lease.ts";
import { asCreated } from "../../src/lease/lease-maker.ts";
import type { LeaseChange, LeaseTable, TakeOptions, WriteOutcome } from "../../src/lease/lease-table.ts";
import type { HashKeyRange, ShardId } from "../../src/shard/shard.ts";

/** The lease table without DynamoDB: the same conditions on a map. */
export class MemoryLeaseTable implements LeaseTable {
  readonly rows: Map<ShardId, Lease> = new Map();
  /** Every write of a checkpoint, in order. */
  readonly checkpoints: { readonly id: ShardId; readonly text: string; readonly owner: string }[] = [];
  /** What was last noted to be read of each shard, KiB a second. */
  readonly throughputs: Map<ShardId, number> = new Map();
  /** How often each method was called. */
  readonly calls: Map<string, number> = new Map();
  /** Called before each call; throwing a coded error fails it with nothing done, a promise holds it up. */
  before: (method: string, id: ShardId | undefined) => void | Promise<void> = () => {};
  /** Whether a write that {@link before} fails looks as if it may have been done. */
  leavesOpen = false;
  /** What a write answers instead, after it was done. */
  lose: (method: string, id: ShardId) => WriteOutcome | undefined = () => undefined;
  /** Called with each row that a worker stored, before it is told; `answered`: whether it will be. */
  stored: (method: string, row: Lease, before: Lease, answered: boolean) => void = () => {};
  /** The row as a scan shows it that need not be consistent: it may be that of a moment ago. */
  seen: (row: Lease) => Lease = (row) => row;
  exists = true;

  async ready(): Promise<boolean> {
    await this.#called("ready");
    return this.exists;
  }

  async ensure(): Promise<void> {
    await this.#called("ensure");
    this.exists = true;
  }

  async list(options: { readonly consistent: boolean }): Promise<readonly Lease[]> {
    await this.#called("list");
    const rows = [...this.rows.values()];
    return options.consistent ? rows : rows.map(this.seen);
  }

  async get(id: ShardId): Promise<Lease | undefined> {
    await this.#called("get", id);
    return this.rows.get(id);
  }

  async create(leases: readonly NewLease[], stamp: StreamStamp): Promise<readonly ShardId[]> {
    await this.#called("create");
    const missing = leases.filter((lease) => !this.rows.has(lease.shardId));
    for (const lease of missing) this.rows.set(lease.shardId, asCreated(lease, stamp));
    return missing.map((lease) => lease.shardId);
  }

  async take(lease: Lease, worker: string, options: TakeOptions): Promise<WriteOutcome> {
    const failed = await this.#tried("take", lease.shardId);
    if (failed !== undefined) return failed;
    const row = this.rows.get(lease.shardId);
    if (row === undefined || row.counter !== lease.counter) return refused(row);
    return this.#put("take", {
      ...row,
      streamName: options.stamp.streamName,
      streamCreatedMs: options.stamp.streamCreatedMs ?? row.streamCreatedMs,
      startTimeMs: row.startTimeMs ?? options.startTimeMs,
      owner: worker,
      consumerWorker: worker,
      ownedSinceMs: options.sinceMs,
      counter: row.counter + 1,
      checkpointOwner: undefined,
    });
  }

  async requestHandOff(lease: Lease, worker: string, signal: AbortSignal): Promise<WriteOutcome> {
    const failed = await this.#tried("requestHandOff", lease.shardId);
    if (failed !== undefined) return failed;
    const row = this.rows.get(lease.shardId);
    const same = row !== undefined && row.owner === lease.owner && row.consumerWorker === row.owner;
    if (!same || row.checkpointOwner !== undefined) return refused(row);
    const done = this.#put("requestHandOff", { ...row, owner: worker, checkpointOwner: row.owner });
    signal.throwIfAborted();
    return done;
  }

  async withdrawRequest(id: ShardId, worker: string): Promise<WriteOutcome> {
    const failed = await this.#tried("withdrawRequest", id);
    if (failed !== undefined) return failed;
    const row = this.rows.get(id);
    const asked = row?.owner === worker && row.checkpointOwner !== undefined;
    if (!asked || row.checkpointOwner !== row.consumerWorker) return refused(row);
    return this.#put("withdrawRequest", { ...row, owner: row.checkpointOwner, checkpointOwner: undefined });
  }

  async write(lease: Lease, change: LeaseChange): Promise<WriteOutcome> {
    const failed = await this.#tried("write", lease.shardId);
    if (failed !== undefined) return failed;
    const row = this.rows.get(lease.shardId);
    const same =
      row !== undefined &&
      row.counter === lease.counter &&
      readerOf(row) === readerOf(lease) &&
      row.checkpointOwner === lease.checkpointOwner;
    if (!same) return refused(row);
    const { checkpoint } = change;
    if (checkpoint !== undefined) {
      const text = checkpoint.kind === "after" ? checkpoint.sequenceNumber.toString() : checkpoint.kind;
      const sub = subSequenceOf(checkpoint);
      this.checkpoints.push({
        id: lease.shardId,
        text: sub === 0 ? text : `${text}/${sub}`,
        owner: readerOf(row) ?? "",
      });
    }
    if (change.throughputKBps !== undefined) this.throughputs.set(lease.shardId, change.throughputKBps);
    return this.#put("write", {
      ...row,
      counter: row.counter + 1,
      ...(checkpoint === undefined ? {} : { checkpoint, startTimeMs: undefined }),
      numbering: numberingAfter(row, change),
      ...(change.release === true ? released(row) : {}),
    });
  }

  async setChildren(id: ShardId, childShardIds: readonly ShardId[]): Promise<boolean> {
    await this.#called("setChildren", id);
    return this.#patch(id, { childShardIds });
  }

  async setHashKeyRange(id: ShardId, hashKeyRange: HashKeyRange): Promise<boolean> {
    await this.#called("setHashKeyRange", id);
    return this.#patch(id, { hashKeyRange });
  }

  async replace(seen: Lease, to: NewLease, stamp: StreamStamp): Promise<boolean> {
    await this.#called("replace", seen.shardId);
    if (!isUnchanged(this.rows.get(seen.shardId), seen)) return false;
    this.rows.set(seen.shardId, { ...asCreated(to, stamp), counter: seen.counter + 1 });
    return true;
  }

  async deleteUnchanged(seen: Lease): Promise<boolean> {
    await this.#called("deleteUnchanged", seen.shardId);
    const row = this.rows.get(seen.shardId);
    if (row !== undefined && !isUnchanged(row, seen)) return false;
    this.rows.delete(seen.shardId);
    return true;
  }

  async deleteFinished(id: ShardId, worker: string): Promise<boolean> {
    await this.#called("deleteFinished", id);
    const row = this.rows.get(id);
    if (row?.checkpoint.kind !== "shard-end") return false;
    if (row.owner !== undefined && row.owner !== worker) return false;
    return this.rows.delete(id);
  }

  #put(method: string, row: Lease): WriteOutcome {
    const before = this.rows.get(row.shardId);
    this.rows.set(row.shardId, row);
    const lost = this.lose(method, row.shardId);
    if (before !== undefined) this.stored(method, row, before, lost === undefined);
    return lost ?? { kind: "written", lease: row };
  }

  #patch(id: ShardId, change: Partial<Lease>): boolean {
    const row = this.rows.get(id);
    if (row === undefined) return false;
    this.rows.set(id, { ...row, ...change });
    return true;
  }

  async #tried(method: string, id: ShardId): Promise<WriteOutcome | undefined> {
    try {
      await this.#called(method, id);
      return undefined;
    } catch (error) {
      if (error instanceof ConnectorError) return { kind: "failed", error, mayHaveLanded: this.leavesOpen };
      throw error;
    }
  }

  async #called(method: string, id?: ShardId): Promise<void> {
    this.calls.set(method, (this.calls.get(method) ?? 0) + 1);
    // A turn of its own, as a network would take.
    await Promise.resolve();
    const held = this.before(method, id);
    if (held !== undefined) await held;
  }
}

function isUnchanged(row: Lease | undefined, seen: Lease): boolean {
  return row?.counter === seen.counter && row.streamCreatedMs === seen.streamCreatedMs;
}

function refused(current: Lease | undefined): WriteOutcome {
  return { kind: "refused", current, retried: false };
}

function numberingAfter({ numbering }: Lease, change: LeaseChange): Lease["numbering"] {
  return change.numbering ?? (change.checkpoint?.kind === "shard-end" ? undefined : numbering);
}

/** During a hand-off the lease goes to the worker that `owner` names. */
function released(row: Lease): Partial<Lease> {
  return row.checkpointOwner === undefined ? { owner: undefined } : { checkpointOwner: undefined };
}
