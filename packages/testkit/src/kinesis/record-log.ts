/** A run of records, ready to be sent. */
export interface LogSlice {
  /** The records' JSON, each with a comma before it; the first chunk begins with one. Shared with the log: do not write to them. */
  readonly chunks: readonly Uint8Array[];
  readonly count: number;
  /** Payload and key bytes. */
  readonly bytes: number;
}

/** A piece of memory that holds records one after the other; none crosses into the next. */
interface Slab {
  /** Offset of its first record. */
  readonly first: number;
  readonly memory: Buffer;
  used: number;
  /** Of each record: where its JSON ends in `memory`. */
  readonly ends: number[];
  /** Of each record: when it arrived, milliseconds since the epoch; never falling. */
  readonly arrivals: number[];
  /** Of each record: payload and key bytes. */
  readonly sizes: number[];
}

const smallestSlab = 4_096;
const largestSlab = 1_048_576;

/**
 * The records of one shard as the JSON they are answered with, built once when they are put: to read them is to
 * name pieces of memory. A record's offset counts from the first record ever put and never changes.
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
    slab.memory[slab.used] = comma;
    slab.used += 1;
    slab.used += slab.memory.write(json, slab.used);
    slab.ends.push(slab.used);
    slab.arrivals.push(arrivedMs);
    slab.sizes.push(sizeBytes);
    this.#end += 1;
  }

  /** From `from` on, at most `maxCount` records and `maxBytes` bytes, but at least one record if there is one. */
  read(from: number, maxCount: number, maxBytes: number): LogSlice {
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
      chunks.push(slab.memory.subarray(slab.ends[first - 1] ?? 0, slab.ends[first + taken.count - 1] ?? 0));
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
    if (last !== undefined && last.used + bytes <= last.memory.length) return last;
    // Slabs grow with the shard, so that a thousand idle shards cost little.
    const wanted = last === undefined ? smallestSlab : Math.min(largestSlab, last.memory.length * 2);
    const slab: Slab = {
      first: this.#end,
      memory: Buffer.allocUnsafeSlow(Math.max(wanted, bytes)),
      used: 0,
      ends: [],
      arrivals: [],
      sizes: [],
    };
    this.#slabs.push(slab);
    return slab;
  }
}

const comma = 0x2c;

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
