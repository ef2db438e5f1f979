import { createHash } from "node:crypto";

/** An inclusive range of hash keys, within 0 and 2^128 - 1. */
export interface HashRange {
  readonly start: bigint;
  readonly end: bigint;
}

const maxHashKey: bigint = (1n << 128n) - 1n;

/** `count` ranges of almost one size that cover everything; the last takes the rest. */
export function evenRanges(count: number): readonly HashRange[] {
  const size = (maxHashKey + 1n) / BigInt(count);
  return Array.from({ length: count }, (_, place) => ({
    start: size * BigInt(place),
    end: place === count - 1 ? maxHashKey : size * BigInt(place + 1) - 1n,
  }));
}

/** The hash key of a partition key: its MD5, of the UTF-8 bytes, as an unsigned number. */
export function hashOf(partitionKey: string): bigint {
  return BigInt(`0x${createHash("md5").update(partitionKey, "utf8").digest("hex")}`);
}

export function contains(range: HashRange, hashKey: bigint): boolean {
  return range.start <= hashKey && hashKey <= range.end;
}

/** Both parts of `range`, cut so that the second starts at `at`. */
export function cut(range: HashRange, at: bigint): readonly [HashRange, HashRange] {
  return [
    { start: range.start, end: at - 1n },
    { start: at, end: range.end },
  ];
}

/** The union of two adjacent ranges, in whatever order; `undefined` when they do not touch. */
export function joined(a: HashRange, b: HashRange): HashRange | undefined {
  if (a.end + 1n === b.start) return { start: a.start, end: b.end };
  if (b.end + 1n === a.start) return { start: b.start, end: a.end };
  return undefined;
}
