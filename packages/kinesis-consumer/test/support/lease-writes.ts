import type { Checkpoint } from "../../src/checkpoint.ts";
import type { Lease, NewLease } from "../../src/lease/lease.ts";
import type { LeaseTable, WriteOutcome } from "../../src/lease/lease-table.ts";
import { lastHashKey, type ShardId } from "../../src/shard/shard.ts";

/** What the tests of lease tables note on the rows that they create and take. */
export const stamp = { streamName: "orders", streamCreatedMs: 1_700_000_000_000 };
export const sinceMs = 1_760_000_000_000;

export function newLease(id: ShardId, change: Partial<NewLease> = {}): NewLease {
  return {
    shardId: id,
    checkpoint: { kind: "trim-horizon" },
    parentShardIds: [],
    hashKeyRange: { start: 0n, end: lastHashKey },
    startTimeMs: undefined,
    ...change,
  };
}

export function after(sequenceNumber: bigint, subSequenceNumber = 0): Checkpoint {
  return { kind: "after", sequenceNumber, subSequenceNumber };
}

export function expectWritten(outcome: WriteOutcome): Lease {
  if (outcome.kind !== "written") throw new Error(`expected a write, got ${outcome.kind}`);
  return outcome.lease;
}

/** Takes the lease as it is now. */
export async function takeNow(
  table: LeaseTable,
  id: ShardId,
  worker: string,
  startTimeMs?: number,
): Promise<Lease> {
  const { signal } = new AbortController();
  const seen = await table.get(id, signal);
  if (seen === undefined) throw new Error(`no lease ${id}`);
  return expectWritten(await table.take(seen, worker, { stamp, startTimeMs, sinceMs }, signal));
}

/** A table of its own, with nothing in it. */
export type MakeTable = () => Promise<LeaseTable>;

/** Such a table with one lease, which `worker` has just taken. */
export async function withTaken(
  make: MakeTable,
  id: ShardId,
  change: Partial<NewLease> = {},
  worker = "me",
): Promise<{ readonly table: LeaseTable; readonly lease: Lease }> {
  const { signal } = new AbortController();
  const table = await make();
  await table.create([newLease(id, change)], stamp, signal);
  return { table, lease: await takeNow(table, id, worker) };
}
