import { encodeAsCbor } from "./cbor-values.ts";
import type { LogSlice } from "./record-log.ts";
import type { Shard } from "./shard.ts";
import type { Stream } from "./stream.ts";
import type { RecordForm } from "./wire-format.ts";
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
  /** Default JSON. */
  readonly form?: RecordForm;
}

export function readPage(shard: Shard, offset: number, limits: PageLimits, nowMs: number): RecordPage {
  const from = Math.max(offset, shard.log.start);
  const slice = shard.log.read(from, limits);
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

/** The same in CBOR, of a page that was read in that form. */
export function pageCbor(page: RecordPage, rest: Readonly<Record<string, unknown>>): readonly Uint8Array[] {
  const members = Object.entries({ ...rest, MillisBehindLatest: page.millisBehindLatest });
  const tail = members.flatMap(([name, value]) => [encodeAsCbor(name), encodeAsCbor(value, name)]);
  return [cborHead, ...page.slice.chunks, Buffer.concat([cborEnd, ...tail, cborEnd])];
}

/** A map and in it an array, both of unknown length. */
const cborHead = Buffer.concat([Buffer.of(0xbf), encodeAsCbor("Records"), Buffer.of(0x9f)]);
const cborEnd = Buffer.of(0xff);
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
