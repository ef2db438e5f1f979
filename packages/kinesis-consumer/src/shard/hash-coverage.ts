import { type HashKeyRange, lastHashKey } from "./shard.ts";

/**
 * The first range of hash keys that none of `ranges` covers, or `undefined` when together they cover all.
 *
 * Overlaps do not matter: while a reshard goes on, parents and children are both leased.
 */
export function findHole(ranges: readonly HashKeyRange[]): HashKeyRange | undefined {
  const sorted = ranges.toSorted(compareRanges);
  let next = 0n;
  for (const range of sorted) {
    if (range.start > next) return { start: next, end: range.start - 1n };
    if (range.end >= next) next = range.end + 1n;
  }
  return next > lastHashKey ? undefined : { start: next, end: lastHashKey };
}

/** Whether `ranges` cover all hash keys once: no gap, and no overlap. */
export function isPartition(ranges: readonly HashKeyRange[]): boolean {
  const sorted = ranges.toSorted(compareRanges);
  let next = 0n;
  for (const range of sorted) {
    if (range.start !== next) return false;
    next = range.end + 1n;
  }
  return next === lastHashKey + 1n;
}

function compareRanges(a: HashKeyRange, b: HashKeyRange): number {
  if (a.start !== b.start) return a.start < b.start ? -1 : 1;
  if (a.end === b.end) return 0;
  return a.end < b.end ? -1 : 1;
}
