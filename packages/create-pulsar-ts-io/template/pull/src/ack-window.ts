/** Knows up to where everything is acknowledged: only that far may a position be stored. */
export class AckWindow {
  #safe: number;
  /** Acknowledged beyond a gap. */
  readonly #early = new Set<number>();

  /** @param first the position of the first record. */
  constructor(first: number) {
    this.#safe = first;
  }

  /** Everything below it is acknowledged: where the next start goes on. */
  get safe(): number {
    return this.#safe;
  }

  acknowledge(position: number): void {
    if (position < this.#safe) return;
    this.#early.add(position);
    while (this.#early.delete(this.#safe)) this.#safe += 1;
  }
}
