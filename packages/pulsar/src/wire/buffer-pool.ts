/** Smaller ones come from Node's own pool. */
const smallestBytes = 4_096;
const stepBytes = 65_536;

/**
 * Buffers to be used again. A buffer of this size lies outside of the JavaScript heap and stays there until its owner is
 * collected: at full speed a hundred megabytes of them would be waiting for that.
 */
export class BufferPool {
  readonly #free = new Map<number, Buffer[]>();
  readonly #mostFreeBytes: number;
  #freeBytes = 0;

  /** @param mostFreeBytes what is given back beyond that is left to the garbage collector. */
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
    if (size < smallestBytes || this.#freeBytes + size > this.#mostFreeBytes) return;
    this.#freeBytes += size;
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [buffer]);
    else free.push(buffer);
  }
}

/** Sizes are few, so that one batch's buffer fits the next: powers of two, then multiples of 64 KiB. */
function roomFor(capacity: number): number {
  return capacity > stepBytes
    ? Math.ceil(capacity / stepBytes) * stepBytes
    : 2 ** Math.ceil(Math.log2(capacity));
}
