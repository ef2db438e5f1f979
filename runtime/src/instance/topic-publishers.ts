import type { Clock, Logger } from "@pulsar-ts-io/core";
import type { PublisherOptions, Transport } from "@pulsar-ts-io/pulsar";
import { openPatiently } from "./open-patiently.ts";
import type { OpenPublisher, Publishers } from "./publishers.ts";

/** Java's PRODUCER_CACHE_TIMEOUT_SECONDS. */
const idleMs = 300_000;
const sweepEveryMs = 60_000;

interface Entry extends OpenPublisher {
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

/** One publisher for each topic that records name. Idle ones are closed. */
export class TopicPublishers implements Publishers {
  readonly #transport: Transport;
  readonly #options: TopicPublishersOptions;
  readonly #maxTopics: number;
  readonly #entries = new Map<string, Entry>();
  #reached = false;

  constructor(transport: Transport, options: TopicPublishersOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#maxTopics = options.maxTopics ?? 1_000;
  }

  async prepare(topic: string, signal: AbortSignal): Promise<void> {
    await this.#open(topic, signal);
  }

  find(topic: string): OpenPublisher | undefined {
    const entry = this.#entries.get(topic);
    if (entry !== undefined) entry.sentSince = true;
    return entry;
  }

  open(topic: string, _record: unknown, signal: AbortSignal): Promise<OpenPublisher> {
    return this.#open(topic, signal);
  }

  /** Nothing to close: no publisher belongs to one partition. */
  release(): Promise<void> {
    return Promise.resolve();
  }

  /** Closes what nothing was sent to for five minutes. */
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

  async flush(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#entries.values()].map((entry) => entry.publisher.flush(signal)));
  }

  async close(): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    const results = await Promise.allSettled(entries.map((entry) => entry.publisher.close()));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  /** Opens `topic`, after closing the longest unused one if there are too many. */
  async #open(topic: string, signal: AbortSignal): Promise<OpenPublisher> {
    if (this.#entries.size >= this.#maxTopics) await this.#makeRoom(signal);
    const { publisher: options, clock, logger } = this.#options;
    const opening = { topic, publisher: options, reached: this.#reached, clock, logger };
    const publisher = await openPatiently(this.#transport, opening, signal);
    this.#reached = true;
    const entry: Entry = {
      topic,
      publisher,
      inFlight: 0,
      released: false,
      usedAtMs: this.#options.clock.monotonic(),
      sentSince: true,
    };
    this.#entries.set(topic, entry);
    return entry;
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
