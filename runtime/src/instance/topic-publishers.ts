import type { Clock, Logger } from "@pulsar-ts-io/core";
import type { Publisher, PublisherOptions, Transport } from "@pulsar-ts-io/pulsar";

/** Java's PRODUCER_CACHE_TIMEOUT_SECONDS. */
const idleMs = 300_000;
const sweepEveryMs = 60_000;

/** One topic that is published to. */
export interface TopicPublisher {
  readonly topic: string;
  readonly publisher: Publisher;
  /** Records that are sent and not settled. */
  inFlight: number;
}

interface Entry extends TopicPublisher {
  /** The sweep in which it was last seen in use. */
  usedAtMs: number;
  sentSince: boolean;
}

export interface TopicPublishersOptions {
  readonly publisher: PublisherOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Topics that stay open whether used or not. */
  readonly keep: string | undefined;
  /** Publishers open at one time; beyond it the longest unused one is closed. Default 1000. */
  readonly maxTopics?: number | undefined;
}

/** The publishers of one instance, one for each topic that its records name. Idle ones are closed. */
export class TopicPublishers {
  readonly #transport: Transport;
  readonly #options: TopicPublishersOptions;
  readonly #maxTopics: number;
  readonly #entries = new Map<string, Entry>();

  constructor(transport: Transport, options: TopicPublishersOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#maxTopics = options.maxTopics ?? 1_000;
  }

  /** The open publisher of `topic`; `undefined`: {@link open} it. */
  get(topic: string): TopicPublisher | undefined {
    const entry = this.#entries.get(topic);
    if (entry !== undefined) entry.sentSince = true;
    return entry;
  }

  /** Opens `topic`, after closing the longest unused one if there are too many. One call at a time. */
  async open(topic: string, signal: AbortSignal): Promise<TopicPublisher> {
    if (this.#entries.size >= this.#maxTopics) await this.#makeRoom(signal);
    const publisher = await this.#transport.open(topic, this.#options.publisher, signal);
    const entry: Entry = {
      topic,
      publisher,
      inFlight: 0,
      usedAtMs: this.#options.clock.monotonic(),
      sentSince: true,
    };
    this.#entries.set(topic, entry);
    return entry;
  }

  /** Closes what nothing was sent to for five minutes, until `signal` aborts. */
  async sweep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(sweepEveryMs, signal);
      const now = this.#options.clock.monotonic();
      for (const entry of [...this.#entries.values()]) {
        if (entry.sentSince || entry.inFlight > 0) {
          entry.sentSince = false;
          entry.usedAtMs = now;
        } else if (now - entry.usedAtMs >= idleMs && entry.topic !== this.#options.keep) {
          await this.#evict(entry);
        }
      }
    }
  }

  /** Waits until everything sent is settled. */
  async flush(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#entries.values()].map((entry) => entry.publisher.flush(signal)));
  }

  /** Closes all of them, the first failure last. */
  async close(): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    const results = await Promise.allSettled(entries.map((entry) => entry.publisher.close()));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  async #makeRoom(signal: AbortSignal): Promise<void> {
    const candidates = [...this.#entries.values()].filter((entry) => entry.topic !== this.#options.keep);
    candidates.sort(
      (left, right) =>
        Number(left.inFlight > 0) - Number(right.inFlight > 0) || left.usedAtMs - right.usedAtMs,
    );
    const oldest = candidates[0];
    if (oldest === undefined) return;
    if (oldest.inFlight > 0) await oldest.publisher.flush(signal);
    await this.#evict(oldest);
  }

  /** Forgotten before it is closed: a record that comes meanwhile opens the topic anew. */
  async #evict(entry: Entry): Promise<void> {
    this.#entries.delete(entry.topic);
    this.#options.logger.debug(
      { topic: entry.topic },
      "publisher closed, nothing was sent to it for a while",
    );
    try {
      await entry.publisher.close();
    } catch (error) {
      // Nothing was in flight: whoever only tidies up must not end the instance.
      this.#options.logger.warn({ err: error, topic: entry.topic }, "idle publisher not closed");
    }
  }
}
