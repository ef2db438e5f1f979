/** The sequence ids of one producer's messages: which one comes next, and which may be repetitions. */
export class SequenceIds {
  #next = -1;
  #last = -1;
  #repeatedUpTo = -1;
  #found = -1;
  #chosen = false;

  /** Whether the first session has begun: its broker says where the ids start, no later one does. */
  get begun(): boolean {
    return this.#next >= 0;
  }

  /** Whether a caller chose one: then others may publish under the same ones. */
  get chosen(): boolean {
    return this.#chosen;
  }

  /** The highest id that the first session's broker had of the producer's name; -1 for none. */
  get found(): number {
    return this.#found;
  }

  /** The id of the last message; -1 before the first. */
  get last(): number {
    return this.#last;
  }

  /** @param last the highest id that the broker has of the producer's name; -1 for none. */
  begin(last: number): void {
    this.#next = last + 1;
    this.#repeatedUpTo = last;
    this.#found = last;
  }

  /** Messages up to `last` may be repetitions from now on. */
  repeatUpTo(last: number): void {
    this.#repeatedUpTo = Math.max(this.#repeatedUpTo, last);
  }

  /** The id of the next message. @param chosen the caller's, which is above {@link last}. */
  take(chosen: number | undefined): number {
    this.#chosen ||= chosen !== undefined;
    this.#last = chosen ?? this.#next;
    this.#next = Math.max(this.#next, this.#last + 1);
    return this.#last;
  }

  /** Whether the message of that id may be a repetition: it goes in a frame of its own, so that the broker judges it alone. */
  mayRepeat(id: number): boolean {
    return id <= this.#repeatedUpTo;
  }
}
