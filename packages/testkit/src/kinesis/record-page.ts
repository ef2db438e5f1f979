import type { LogSlice } from "./record-log.ts";
import type { Shard } from "./shard.ts";
import type { Stream } from "./stream.ts";
import { wireShardRange } from "./wire-shapes.ts";

/** Some records of a shard in a row, and what comes after them. */
export interface RecordPage {
  readonly slice: LogSlice;
  /** Offset of the next record. */
  readonly next: number;
  /** Nothing will ever come. */
  readonly atEnd: boolean;
  readonly millisBehindLatest: number;
}

export interface PageLimits {
  readonly maxCount: number;
  readonly maxBytes: number;
}

export function readPage(shard: Shard, offset: number, limits: PageLimits, nowMs: number): RecordPage {
  const from = Math.max(offset, shard.log.start);
  const slice = shard.log.read(from, limits.maxCount, limits.maxBytes);
  const next = from + slice.count;
  return {
    slice,
    next,
    atEnd: !shard.open && next >= shard.log.end,
    millisBehindLatest: millisBehind(shard, next, nowMs),
  };
}

/** The stored JSON of the records as it is, and the other members: nothing is built for a record here. */
export function pageJson(page: RecordPage, rest: Readonly<Record<string, unknown>>): readonly Uint8Array[] {
  const members = { ...rest, MillisBehindLatest: page.millisBehindLatest };
  const tail = Buffer.from(`],${JSON.stringify(members).slice(1)}`);
  const [first, ...others] = page.slice.chunks;
  // Each stored record begins with a comma, which the first one must not.
  return first === undefined ? [head, tail] : [head, first.subarray(1), ...others, tail];
}

const head = Buffer.from('{"Records":[');

/** How old the next record is that the caller has not got; 0 when it has them all. */
function millisBehind(shard: Shard, next: number, nowMs: number): number {
  const arrivedMs = shard.log.arrivedAt(next);
  return arrivedMs === undefined ? 0 : Math.max(1, nowMs - arrivedMs);
}

export function childShards(stream: Stream, shard: Shard, nowMs: number): unknown {
  const shards = stream.shards(nowMs).filter((candidate) => shard.childIds.includes(candidate.id));
  return shards.map((child) => ({
    ShardId: child.id,
    ParentShards: child.parentIds,
    HashKeyRange: wireShardRange(child),
  }));
}
