import { encodeAsCbor } from "./cbor-values.ts";
import type { RecordForm } from "./wire-format.ts";

/** A run of records, ready to be sent. */
export interface LogSlice {
  /**
   * In JSON each record has a comma before it; the first chunk begins with one. In CBOR they follow each other. Shared with the
   * log: do not write to them.
   */
  readonly chunks: readonly Uint8Array[];
  readonly count: number;
  /** Payload and key bytes. */
  readonly bytes: number;
}

/** A piece of memory that holds records one after the other; none crosses into the next. */
interface Slab {
  /** Offset of its first record. */
  readonly first: number;
  readonly json: Texts;
  /** Made when it is first asked for. */
  cbor: Texts | undefined;
  /** Of each record: when it arrived, milliseconds since the epoch; never falling. */
  readonly arrivals: number[];
  /** Of each record: payload and key bytes. */
  readonly sizes: number[];
}

/** Records in one form. */
interface Texts {
  readonly memory: Buffer;
  used: number;
  /** Of each record: where it ends in `memory`. */
  readonly ends: number[];
}

interface ReadLimits {
  readonly maxCount: number;
  readonly maxBytes: number;
  /** Default JSON. */
  readonly form?: RecordForm;
}

const smallestSlab = 4_096;
const largestSlab = 1_048_576;

/**
 * The records of one shard as they are answered, in JSON built once when they are put, in CBOR when that is first read: to read
 * them is to name pieces of memory. A record's offset counts from the first record ever put and never changes.
 */
export class RecordLog {
  readonly #slabs: Slab[] = [];
  #start = 0;
  #end = 0;

  /** Offset of the oldest record that is kept. */
  get start(): number {
    return this.#start;
  }

  /** Offset of the next record. */
  get end(): number {
    return this.#end;
  }

  /** @param json of one record, without a comma. */
  append(json: string, arrivedMs: number, sizeBytes: number): void {
    const slab = this.#room(Buffer.byteLength(json) + 1);
    const texts = slab.json;
    texts.memory[texts.used] = comma;
    texts.used += 1;
    texts.used += texts.memory.write(json, texts.used);
    texts.ends.push(texts.used);
    slab.arrivals.push(arrivedMs);
    slab.sizes.push(sizeBytes);
    this.#end += 1;
  }

  /** From `from` on, at most `maxCount` records and `maxBytes` bytes, but at least one record if there is one. */
  read(from: number, { maxCount, maxBytes, form = "json" }: ReadLimits): LogSlice {
    const chunks: Uint8Array[] = [];
    let offset = Math.max(from, this.#start);
    let count = 0;
    let bytes = 0;
    for (let place = this.#slabOf(offset); place < this.#slabs.length; place++) {
      const slab = this.#slabs[place];
      if (slab === undefined) break;
      const first = offset - slab.first;
      // The first record of all is taken whatever its size, and alone when it is too large.
      const size = slab.sizes[first] ?? 0;
      const alone = count === 0 && size > maxBytes;
      const taken = take(slab.sizes, first, alone ? 1 : maxCount - count, alone ? size : maxBytes - bytes);
      if (taken.count === 0) break;
      chunks.push(piece(form === "json" ? slab.json : cborOf(slab), first, taken.count));
      count += taken.count;
      bytes += taken.bytes;
      offset += taken.count;
      if (first + taken.count < slab.sizes.length) break;
    }
    return { chunks, count, bytes };
  }

  /** When the record at `offset` arrived; `undefined` when there is none. */
  arrivedAt(offset: number): number | undefined {
    const slab = this.#slabs[this.#slabOf(offset)];
    return offset < this.#start ? undefined : slab?.arrivals[offset - slab.first];
  }

  /** Offset of the first record that arrived at `ms` or later; {@link end} when there is none. */
  firstSince(ms: number): number {
    let low = this.#start;
    let high = this.#end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.arrivedAt(middle) ?? 0) < ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Forgets everything before `offset`. */
  trim(offset: number): void {
    this.#start = Math.min(Math.max(this.#start, offset), this.#end);
    while (this.#slabs.length > 1 && (this.#slabs[1]?.first ?? this.#end) <= this.#start) this.#slabs.shift();
  }

  /** Place of the slab that holds `offset`, or of the last one. */
  #slabOf(offset: number): number {
    let low = 0;
    let high = this.#slabs.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#slabs[middle]?.first ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #room(bytes: number): Slab {
    const last = this.#slabs.at(-1);
    if (last !== undefined && last.json.used + bytes <= last.json.memory.length) return last;
    // Slabs grow with the shard, so that a thousand idle shards cost little.
    const wanted = last === undefined ? smallestSlab : Math.min(largestSlab, last.json.memory.length * 2);
    const slab: Slab = {
      first: this.#end,
      json: { memory: Buffer.allocUnsafeSlow(Math.max(wanted, bytes)), used: 0, ends: [] },
      cbor: undefined,
      arrivals: [],
      sizes: [],
    };
    this.#slabs.push(slab);
    return slab;
  }
}

const comma = 0x2c;

/** The slab's records in CBOR, those included that have come since. */
function cborOf(slab: Slab): Texts {
  const { json } = slab;
  // Enough: payloads are a third larger in JSON, and so is what is around them.
  slab.cbor ??= { memory: Buffer.allocUnsafeSlow(json.memory.length), used: 0, ends: [] };
  const { cbor } = slab;
  for (let place = cbor.ends.length; place < json.ends.length; place++) {
    const text = json.memory.toString("utf8", (json.ends[place - 1] ?? 0) + 1, json.ends[place]);
    const record = encodeAsCbor(JSON.parse(text));
    cbor.memory.set(record, cbor.used);
    cbor.used += record.length;
    cbor.ends.push(cbor.used);
  }
  return cbor;
}

/** The memory of `count` records from `first` on. */
function piece({ memory, ends }: Texts, first: number, count: number): Buffer {
  return memory.subarray(ends[first - 1] ?? 0, ends[first + count - 1] ?? 0);
}

/** How many of `sizes` from `first` on fit. */
function take(
  sizes: readonly number[],
  first: number,
  maxCount: number,
  maxBytes: number,
): { count: number; bytes: number } {
  const end = Math.min(sizes.length, first + maxCount);
  let bytes = 0;
  let place = first;
  for (; place < end; place++) {
    const size = sizes[place] ?? 0;
    if (bytes + size > maxBytes) break;
    bytes += size;
  }
  return { count: place - first, bytes };
}
