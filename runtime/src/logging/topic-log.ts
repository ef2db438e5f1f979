import { Backoff, type Clock, type Logger, toError } from "@pulsar-ts-io/core";
import {
  type Delivery,
  defaultPublisherOptions,
  type OutgoingMessage,
  type Publisher,
  type PublisherOptions,
  type Transport,
} from "@pulsar-ts-io/pulsar";
import { endedWithin } from "../instance/deadline.ts";
import { formatLogMessage } from "./text-format.ts";

/** Lines that wait for the topic; those beyond are counted, and left out: whoever logs never waits. */
const maxLines = 1_000;
/** How long the last lines may take at the end. */
const lastLinesMs = 2_000;
const closeMs = 2_000;

export interface TopicLogOptions {
  readonly topic: string;
  readonly instanceId: number;
  /** `tenant/namespace/name` of the source. */
  readonly fqn: string;
  /** Takes the secrets out of a text. */
  readonly mask: (text: string) => string;
  readonly clock: Clock;
  /** What is said about the topic itself: it must not go there. */
  readonly logger: Logger;
}

/** Nobody waits for a receipt of a line. */
const delivery: Delivery = { stored() {}, failed() {} };

/**
 * Publishes the lines of one instance's log to a topic, one message each. A topic that is away costs lines, and nothing else.
 *
 * @see LogAppender in apache/pulsar: properties, batching and compression are its own
 */
export class TopicLog {
  readonly #connect: () => Promise<Transport>;
  readonly #options: TopicLogOptions;
  readonly #lines: OutgoingMessage[] = [];
  readonly #stop = new AbortController();
  #wake: () => void = () => undefined;
  #lost = 0;

  constructor(connect: () => Promise<Transport>, options: TopicLogOptions) {
    this.#connect = connect;
    this.#options = options;
  }

  /** Takes a line of JSON; returns at once. */
  add(json: string): void {
    const line = formatLogMessage(json);
    if (line === undefined) return;
    if (this.#lines.length >= maxLines) {
      this.#lost += 1;
      return;
    }
    const { instanceId, fqn, mask } = this.#options;
    this.#lines.push({
      value: Buffer.from(mask(line.text), "utf8"),
      properties: { loglevel: line.level, instance: String(instanceId), fqn },
    });
    this.#wake();
  }

  /** Publishes until {@link end}, then what is left, within 2 s. Once only; never fails. */
  async run(): Promise<void> {
    const { clock } = this.#options;
    const ended = new AbortController();
    const late = new AbortController();
    const stopped = new Promise<void>((resolve) => {
      this.#stop.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    void stopped
      .then(() => clock.sleep(lastLinesMs, ended.signal))
      .then(() => late.abort(new Error("the last lines took too long")))
      .catch(() => undefined);
    const pauses = new Backoff({ initialMs: 1_000, maxMs: 60_000 });
    while (!(await this.#published(pauses, late.signal))) {
      if (this.#stop.signal.aborted) break;
      await clock.sleep(pauses.next(), this.#stop.signal).catch(() => undefined);
    }
    ended.abort(new Error("the log has ended"));
  }

  end(): void {
    this.#stop.abort(new Error("the log ends"));
    this.#wake();
  }

  /** @returns whether it went on to the end. */
  async #published(pauses: Backoff, late: AbortSignal): Promise<boolean> {
    const { logger, topic } = this.#options;
    try {
      await this.#publish(() => pauses.reset(), late);
      return true;
    } catch (error) {
      if (pauses.attempts === 0) logger.warn({ err: toError(error), topic }, "log topic not reachable");
      return false;
    }
  }

  async #publish(opened: () => void, late: AbortSignal): Promise<void> {
    const { clock, topic } = this.#options;
    const transport = await this.#connect();
    try {
      const publisher = await transport.open(topic, this.#publisherOptions(), late);
      opened();
      while (!this.#stop.signal.aborted) {
        await this.#sendAll(publisher, late);
        if (this.#lines.length === 0 && !this.#stop.signal.aborted) await this.#moreLines();
      }
      await this.#sendAll(publisher, late);
      await publisher.flush(late);
    } finally {
      await endedWithin(clock, closeMs, () => transport.close()).catch(() => undefined);
    }
  }

  #publisherOptions(): PublisherOptions {
    return {
      ...defaultPublisherOptions,
      batching: { maxDelayMs: 100, maxMessages: 1_000, maxBytes: 131_072 },
      compression: "LZ4",
      producerProperties: { function: this.#options.fqn },
    };
  }

  async #sendAll(publisher: Publisher, signal: AbortSignal): Promise<void> {
    for (let line = this.#lines[0]; line !== undefined; line = this.#lines[0]) {
      if (publisher.full) await publisher.room(signal);
      this.#lines.shift();
      publisher.send(line, delivery);
    }
    if (this.#lost === 0) return;
    this.#options.logger.warn({ lines: this.#lost }, "log lines not published, the log topic was too slow");
    this.#lost = 0;
  }

  async #moreLines(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}
