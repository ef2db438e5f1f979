/** As Java's client has. */
export const defaultMemoryLimitBytes = 67_108_864;

/** Unconfirmed bytes that all publishers of one transport may have together. */
export class MemoryLimit {
  readonly #maxBytes: number;
  #bytes = 0;
  readonly #waiting = new Set<() => void>();

  /** @param maxBytes 0: no limit. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get full(): boolean {
    return this.#maxBytes > 0 && this.#bytes >= this.#maxBytes;
  }

  take(bytes: number): void {
    this.#bytes += bytes;
  }

  release(bytes: number): void {
    const before = this.full;
    this.#bytes -= bytes;
    if (before && !this.full) for (const onRoom of [...this.#waiting]) onRoom();
  }

  /** Calls `onRoom` each time there is room again. */
  watch(onRoom: () => void): void {
    this.#waiting.add(onRoom);
  }

  unwatch(onRoom: () => void): void {
    this.#waiting.delete(onRoom);
  }
}
