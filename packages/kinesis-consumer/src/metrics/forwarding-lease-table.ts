import type { Lease, NewLease, StreamStamp } from "../lease/lease.ts";
import type { LeaseChange, LeaseTable, TakeOptions, WriteOutcome } from "../lease/lease-table.ts";
import type { HashKeyRange, ShardId } from "../shard/shard.ts";

/** Hands every call on: for those that look at some of them. */
export class ForwardingLeaseTable implements LeaseTable {
  protected readonly table: LeaseTable;

  constructor(table: LeaseTable) {
    this.table = table;
  }

  ready(signal: AbortSignal): Promise<boolean> {
    return this.table.ready(signal);
  }

  ensure(signal: AbortSignal): Promise<void> {
    return this.table.ensure(signal);
  }

  list(options: { readonly consistent: boolean }, signal: AbortSignal): Promise<readonly Lease[]> {
    return this.table.list(options, signal);
  }

  get(id: ShardId, signal: AbortSignal): Promise<Lease | undefined> {
    return this.table.get(id, signal);
  }

  create(leases: readonly NewLease[], stamp: StreamStamp, signal: AbortSignal): Promise<readonly ShardId[]> {
    return this.table.create(leases, stamp, signal);
  }

  take(lease: Lease, worker: string, options: TakeOptions, signal: AbortSignal): Promise<WriteOutcome> {
    return this.table.take(lease, worker, options, signal);
  }

  requestHandOff(lease: Lease, worker: string, signal: AbortSignal): Promise<WriteOutcome> {
    return this.table.requestHandOff(lease, worker, signal);
  }

  withdrawRequest(id: ShardId, worker: string, signal: AbortSignal): Promise<WriteOutcome> {
    return this.table.withdrawRequest(id, worker, signal);
  }

  write(lease: Lease, change: LeaseChange, signal: AbortSignal): Promise<WriteOutcome> {
    return this.table.write(lease, change, signal);
  }

  setChildren(id: ShardId, children: readonly ShardId[], signal: AbortSignal): Promise<boolean> {
    return this.table.setChildren(id, children, signal);
  }

  setHashKeyRange(id: ShardId, range: HashKeyRange, signal: AbortSignal): Promise<boolean> {
    return this.table.setHashKeyRange(id, range, signal);
  }

  replace(seen: Lease, to: NewLease, stamp: StreamStamp, signal: AbortSignal): Promise<boolean> {
    return this.table.replace(seen, to, stamp, signal);
  }

  deleteUnchanged(seen: Lease, signal: AbortSignal): Promise<boolean> {
    return this.table.deleteUnchanged(seen, signal);
  }

  deleteFinished(id: ShardId, worker: string, signal: AbortSignal): Promise<boolean> {
    return this.table.deleteFinished(id, worker, signal);
  }
}
