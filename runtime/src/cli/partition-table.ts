import type { PartitionStatus } from "@pulsar-ts-io/core";
import { formatTable, printable } from "./text-table.ts";

const headings = ["PARTITION", "OWNER", "SINCE", "AT WORK", "LAG", "POSITION", "CHILDREN"] as const;

/** The partitions as a table, and a line that sums it up. `?` is not known, `-` is nothing. */
export function formatPartitions(partitions: readonly PartitionStatus[]): string {
  if (partitions.length === 0) return "no partitions: the source has not been started yet\n";
  return `${formatTable(headings, partitions.map(cells))}\n${summary(partitions)}\n`;
}

function cells(partition: PartitionStatus): readonly string[] {
  const { id, owner, position, children } = partition;
  return [
    printable(id),
    printable(owner ?? "-"),
    since(partition),
    atWork(partition),
    lag(partition),
    printable(position ?? "?"),
    printable(children === undefined || children.length === 0 ? "-" : children.join(",")),
  ];
}

function since({ owner, ownedSinceMs }: PartitionStatus): string {
  if (owner === undefined) return "-";
  const time = new Date(ownedSinceMs ?? Number.NaN);
  return Number.isNaN(time.getTime()) ? "?" : time.toISOString().replace(/\.\d+Z$/, "Z");
}

function atWork({ owner, ownerActive }: PartitionStatus): string {
  if (owner === undefined) return "-";
  if (ownerActive === undefined) return "?";
  return ownerActive ? "yes" : "no sign";
}

function lag({ finished, lagMs }: PartitionStatus): string {
  if (finished === true) return "finished";
  return lagMs === undefined ? "?" : duration(lagMs);
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return ms < 10_000 ? `${ms / 1_000} s` : `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

function summary(partitions: readonly PartitionStatus[]): string {
  const open = partitions.filter((partition) => partition.finished !== true);
  const owners = new Set(open.flatMap((partition) => partition.owner ?? []));
  const lags = open.flatMap((partition) => partition.lagMs ?? []);
  const unowned = open.filter((partition) => partition.owner === undefined).length;
  const behind = lags.length === 0 ? "?" : duration(lags.reduce((most, ms) => Math.max(most, ms), 0));
  return `${partitions.length} partitions, ${partitions.length - open.length} finished, ${unowned} without owner, ${owners.size} owners, most behind: ${behind}`;
}
