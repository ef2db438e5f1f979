/** Smaller ones come from Node's own pool. */
const smallestBytes = 4_096;

/**
 * Buffers to be used again. A buffer of this size lies outside of the JavaScript heap and stays there until its owner is
 * collected: at full speed a hundred megabytes of them would be waiting for that.
 */
export class BufferPool {
  readonly #free = new Map<number, Buffer[]>();
  readonly #mostFreeBytes: number;
  #freeBytes = 0;

  /** @param mostFreeBytes that are kept; what is more is left to the garbage collector. */
  constructor(mostFreeBytes: number) {
    this.#mostFreeBytes = mostFreeBytes;
  }

  /** @returns a buffer of at least `capacity` bytes, with anything in it. */
  take(capacity: number): Buffer {
    if (capacity < smallestBytes) return Buffer.allocUnsafe(capacity);
    const size = roomFor(capacity);
    const buffer = this.#free.get(size)?.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(size);
    this.#freeBytes -= size;
    return buffer;
  }

  /** Takes back what {@link take} returned. Nobody may read or write it from here on. */
  give(buffer: Buffer): void {
    const size = buffer.length;
    if (size < smallestBytes || !this.#hasRoom(size)) return;
    this.#freeBytes += size;
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [buffer]);
    else free.push(buffer);
  }

  /** Buffers of other sizes are dropped first: a pool that is full of sizes which nobody needs any more is of no use. */
  #hasRoom(bytes: number): boolean {
    for (const [size, buffers] of this.#free) {
      if (this.#freeBytes + bytes <= this.#mostFreeBytes) return true;
      if (size === bytes) continue;
      while (this.#freeBytes + bytes > this.#mostFreeBytes && buffers.pop() !== undefined) {
        this.#freeBytes -= size;
      }
      if (buffers.length === 0) this.#free.delete(size);
    }
    return this.#freeBytes + bytes <= this.#mostFreeBytes;
  }
}

/** Sizes are few, so that one frame's buffer fits the next: four between a power of two and the next, so that a quarter is wasted at most. */
function roomFor(capacity: number): number {
  const step = 2 ** (Math.floor(Math.log2(capacity)) - 2);
  return Math.ceil(capacity / step) * step;
}
