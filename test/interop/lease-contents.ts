import type { StoredRecord } from "../harness/kinesis-stream.ts";
import type { LeaseRow } from "../harness/lease-rows.ts";

/** Who renewed how often is told by no record. */
const circumstances = ["leaseOwner", "leaseCounter"];

/** KCL 3.5 keeps rows of other kinds in the same table. */
export function leasesOf(rows: readonly LeaseRow[]): readonly LeaseRow[] {
  return rows.filter((row) => row["checkpoint"] !== undefined);
}

/** The leases with all that both must agree upon. */
export function contentsOf(rows: readonly LeaseRow[]): readonly unknown[] {
  return leasesOf(rows).map((row) =>
    shared(row).flatMap(([name, value]) => {
      if (circumstances.includes(name)) return [];
      return [[name, value.SS === undefined ? value : [...value.SS].sort()]];
    }),
  );
}

/** The attributes of each lease with their types. */
export function typesOf(rows: readonly LeaseRow[]): readonly unknown[] {
  return leasesOf(rows).map((row) => shared(row).map(([name, value]) => [name, Object.keys(value)]));
}

/** Those of `stored` that are behind the checkpoints of `rows`: what a successor reads. */
export function behindCheckpoints(
  stored: readonly StoredRecord[],
  rows: readonly LeaseRow[],
): readonly StoredRecord[] {
  const checkpoints = new Map(rows.map((row) => [row["leaseKey"]?.S, row["checkpoint"]?.S ?? ""]));
  return stored.filter(({ shardId, sequenceNumber }) => {
    const checkpoint = checkpoints.get(shardId) ?? "";
    if (checkpoint === "SHARD_END") return false;
    return !/^\d+$/.test(checkpoint) || BigInt(sequenceNumber) > BigInt(checkpoint);
  });
}

/** Without what only we write, and what only KCL 3 writes; ordered by name. */
function shared(row: LeaseRow): [name: string, value: LeaseRow[string]][] {
  return Object.entries(row)
    .filter(([name]) => !(name.startsWith("x_") || name === "throughputKBps" || name === "entityType"))
    .sort(([one], [other]) => (one < other ? -1 : 1));
}
