import type { Clock } from "@pulsar-ts-io/core";

/** An answer is used again for so long. */
const freshMs = 1_000;

interface Asked<T> {
  /** Monotonic time at which it was asked. */
  readonly at: number;
  readonly answer: Promise<T>;
}

/** Asks once for all callers that want an answer at about the same time. */
export class SharedQuestion<T> {
  readonly #ask: () => Promise<T>;
  readonly #clock: Clock;
  #last: Asked<T> | undefined;

  constructor(clock: Clock, ask: () => Promise<T>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** @param since monotonic time; only an answer to a question that was asked after it is used. */
  ask(since: number): Promise<T> {
    const now = this.#clock.monotonic();
    const last = this.#last;
    if (last !== undefined && last.at > since && now - last.at <= freshMs) return last.answer;
    const asked: Asked<T> = { at: now, answer: this.#ask() };
    this.#last = asked;
    asked.answer.catch(() => {
      if (this.#last === asked) this.#last = undefined; // the next caller asks for itself
    });
    return asked.answer;
  }
}
