import type { Clock, Logger } from "@pulsar-ts-io/core";

/** Between two lines, milliseconds. */
const everyMs = 60_000;
const remedy =
  "publish to a persistent topic, or raise maxConcurrentNonPersistentMessagePerConnection in broker.conf";

/** Logs how many messages a topic drops: the first at once, then one line a minute at most. */
export class DropLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  #loggedAt = Number.NEGATIVE_INFINITY;
  #dropped = 0;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  dropped(messages: number): void {
    this.#dropped += messages;
    if (this.#clock.monotonic() - this.#loggedAt >= everyMs) this.#log();
  }

  /** Logs what is left. */
  close(): void {
    if (this.#dropped > 0) this.#log();
  }

  #log(): void {
    const fields = { messages: this.#dropped, remedy };
    this.#loggedAt = this.#clock.monotonic();
    this.#dropped = 0;
    this.#logger.warn(fields, "non-persistent topic dropped messages");
  }
}
