import { codeOf, type Logger } from "@pulsar-ts-io/core";

/**
 * Says once that something has begun to fail and once that it works again, whatever the number of those that try.
 *
 * The keys are who or what is failing: the outage ends with the last of them. Who stops trying says so with {@link left}.
 */
export class OutageLog {
  readonly #logger: Logger;
  readonly #what: string;
  readonly #failing = new Set<string>();

  /** @param what such as `reading from Kinesis`. */
  constructor(logger: Logger, what: string) {
    this.#logger = logger;
    this.#what = what;
  }

  began(key: string, error: unknown): void {
    if (this.#failing.size === 0) {
      this.#logger.warn(
        { err: error, code: codeOf(error), what: this.#what, key },
        "trouble began, retrying",
      );
    }
    this.#failing.add(key);
  }

  ended(key: string): void {
    if (!this.#failing.delete(key) || this.#failing.size > 0) return;
    this.#logger.info({ what: this.#what }, "trouble is over");
  }

  /** Whoever fails tries no more. That says nothing about the trouble, but it must not hide the next. */
  left(key: string): void {
    this.#failing.delete(key);
  }
}
