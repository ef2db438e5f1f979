/** Knows up to where everything is acknowledged: only that far may a position be stored. */
export class AckWindow {
  #safe: number;
  /** Records that were acknowledged beyond a gap: where they end, by where they begin. */
  readonly #early = new Map<number, number>();

  /** @param start where the first record begins. */
  constructor(start: number) {
    this.#safe = start;
  }

  /** Everything before it is acknowledged: where the next start goes on. */
  get safe(): number {
    return this.#safe;
  }

  /** @param end where the next record begins. */
  acknowledge(start: number, end: number): void {
    if (start < this.#safe) return;
    this.#early.set(start, end);
    for (let next = this.#early.get(this.#safe); next !== undefined; next = this.#early.get(this.#safe)) {
      this.#early.delete(this.#safe);
      this.#safe = next;
    }
  }
}
