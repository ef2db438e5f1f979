import type { Clock, Logger } from "@pulsar-ts-io/core";
import type { TopicLookup } from "../connection/lookup.ts";
import { PartitionsGoneError, TopicNotFoundError } from "../errors.ts";
import type { TopicName } from "../topic-name.ts";
import { waitFor } from "../wait.ts";
import { SharedQuestion } from "./shared-question.ts";

interface Host {
  readonly lookup: TopicLookup;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long a broker that has opened a producer may take to notice that its topic is deleted, milliseconds. */
const settleMs = 50;

/**
 * The partitions that a topic must keep while it is published to. A broker creates `t-partition-3` for a producer that asks for
 * it, also when `t` was deleted: no subscription of `t` reads what is published there.
 */
export class ExpectedPartitions {
  readonly #host: Host;
  readonly #topic: TopicName;
  /** Partitions that must be there; 0: the topic is not partitioned, and is no partition of another. */
  #expected = 0;
  /** The partitioned topic: the topic itself, or the one that it is a partition of. */
  readonly #whole: string;
  /** One unload closes the producers of many partitions at once. */
  readonly #count: SharedQuestion<number>;

  /** @param signal aborted when nobody asks any more. */
  constructor(host: Host, topic: TopicName, signal: AbortSignal) {
    this.#host = host;
    this.#topic = topic;
    this.#whole =
      topic.partition < 0 ? topic.full : topic.full.slice(0, topic.full.lastIndexOf("-partition-"));
    this.#count = new SharedQuestion(host.clock, () => this.#ask(signal));
  }

  /** From now on the topic must have `count` partitions; 0: it is not partitioned. */
  async expect(count: number, signal: AbortSignal): Promise<void> {
    this.#expected = count;
    if (count > 0 || this.#topic.partition < 0) return;
    const whole = await this.countNow(signal);
    if (whole !== undefined && whole > this.#topic.partition) this.#expected = this.#topic.partition + 1;
  }

  /** Partitions now; `undefined` when that is not known: then the producers report what is wrong, and it is asked again later. */
  async countNow(signal: AbortSignal): Promise<number | undefined> {
    try {
      return await waitFor(this.#count.ask(this.#host.clock.monotonic()), signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#host.logger.debug({ err: error }, "partition count not known, asking again later");
      return undefined;
    }
  }

  /**
   * @param since monotonic time: the topic may have been deleted by then.
   * @throws PartitionsGoneError (`PIO_PARTITIONS_GONE`); why the count is not known.
   */
  async check(since: number, signal: AbortSignal): Promise<void> {
    if (this.#expected === 0) return;
    const count = await waitFor(this.#count.ask(since), signal);
    if (count < this.#expected) throw this.gone(count);
  }

  /**
   * A broker that deletes a partitioned topic knows its partitions for a moment longer, and creates the one that it is asked for.
   * Partitions that are opened together share the question.
   * @throws as {@link check}.
   */
  async checkOpened(signal: AbortSignal): Promise<void> {
    if (this.#expected === 0) return;
    const { clock } = this.#host;
    const openedAt = clock.monotonic();
    await clock.sleep(settleMs, signal);
    await this.check(openedAt, signal);
  }

  /** The error for a topic that has `count` partitions, which are too few. */
  gone(count: number): PartitionsGoneError {
    const now = count === 0 ? "it was deleted" : `it has ${count} now`;
    return new PartitionsGoneError(
      `${this.#whole} had at least ${this.#expected} partitions when it was opened: ${now}`,
      { details: { topic: this.#whole, before: this.#expected, partitions: count } },
    );
  }

  /** Partitions, without creating the topic; 0 when it is gone, or is not partitioned. */
  async #ask(signal: AbortSignal): Promise<number> {
    try {
      return await this.#host.lookup.partitions(this.#whole, false, signal);
    } catch (error) {
      // A namespace that is missing may be on its way: that is waited for.
      if (error instanceof TopicNotFoundError && error.details["missing"] === undefined) return 0;
      throw error;
    }
  }
}
