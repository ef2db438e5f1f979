import type { ConnectorError, LogFields, Logger } from "@pulsar-ts-io/core";

/** The name of one producer in its topic's log: its id in the transport. */
type ProducerKey = number;

/**
 * The log of all producers of one topic: one line when the first is lost, one when all are open again.
 *
 * One unload closes the producers of every partition within a moment. What each of them does is logged at `debug`.
 */
export class TopicLog {
  readonly #logger: Logger;
  readonly #lost = new Set<ProducerKey>();
  /** Codes of failures that were logged since the first producer was lost. */
  readonly #logged = new Set<string>();
  #reopened = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  lost(key: ProducerKey, error: ConnectorError, pending: number): void {
    const isFirst = this.#lost.size === 0;
    this.#lost.add(key);
    this.#logged.add(error.code);
    this.#line(isFirst, "warn", { err: error, pending }, "producer lost, opening it again");
  }

  /** An attempt to open the producer again failed. */
  stillLost(error: ConnectorError): void {
    if (this.#logged.has(error.code)) return;
    this.#logged.add(error.code);
    this.#logger.warn({ err: error }, "producer still lost, trying again");
  }

  /** @param isOne whether the topic has this producer alone. */
  ready(key: ProducerKey, fields: LogFields, isOne: boolean): void {
    if (!this.#lost.delete(key)) {
      this.#line(isOne, "info", fields, "producer ready");
      return;
    }
    this.#reopened += 1;
    const isLast = this.#lost.size === 0;
    const reopened = this.#reopened === 1 ? {} : { producers: this.#reopened };
    this.#line(isLast, "info", { ...fields, ...reopened }, "producer ready");
    if (isLast) this.#reset();
  }

  /** The producer is closed, or failed for good. */
  left(key: ProducerKey): void {
    if (this.#lost.delete(key) && this.#lost.size === 0) this.#reset();
  }

  #reset(): void {
    this.#logged.clear();
    this.#reopened = 0;
  }

  #line(isShown: boolean, level: "info" | "warn", fields: LogFields, line: string): void {
    this.#logger[isShown ? level : "debug"](fields, line);
  }
}
