import {
  Backoff,
  type Clock,
  type ConnectorError,
  codeOf,
  crowdedController,
  hasCode,
  isRetryable,
  type Logger,
  type Meter,
  toError,
} from "@pulsar-ts-io/core";
import type { Codec } from "../compression.ts";
import { PublisherClosedError } from "../errors.ts";
import { failUnsendable } from "../message-check.ts";
import type { Delivery, OutgoingMessage, Publisher, PublisherOptions } from "../publisher.ts";
import type { TopicName } from "../topic-name.ts";
import { withEither } from "../wait.ts";
import { DropLog } from "./drop-log.ts";
import { ExpectedPartitions } from "./expected-partitions.ts";
import { heldBytes } from "./held-bytes.ts";
import type { MemoryLimit } from "./memory-limit.ts";
import { invalidSequenceId } from "./message-failure.ts";
import { PartitionProducer, type PartitionProducerOptions } from "./partition-producer.ts";
import { ProducerMetrics } from "./producer-metrics.ts";
import type { ProducerHost } from "./producer-opener.ts";
import { PublishBudget } from "./publish-budget.ts";
import type { PublishingTrouble } from "./publishing-trouble.ts";
import { longestPauseMs, retrying, warnOfEachCode } from "./retrying.ts";
import { choosePartition } from "./router.ts";
import type { TopicLog } from "./topic-log.ts";

/** How often it is asked whether the topic has got more partitions. */
const growthCheckMs = 60_000;
/** Exact as a double: ids are kept as numbers. */
const maxSequenceId = BigInt(Number.MAX_SAFE_INTEGER);
const backoffMs = { initialMs: 100, maxMs: longestPauseMs };

export interface WirePublisherOptions {
  readonly topic: TopicName;
  readonly publisher: PublisherOptions;
  /** What `publisher.compression` names; absent: none. */
  readonly codec: Codec | undefined;
  readonly operationTimeoutMs: number;
  /** How long a first opening looks for a broker, milliseconds: whoever wrote a wrong address shall learn it soon. */
  readonly reachMs: number;
  readonly meter: Meter;
  /** What all publishers of the transport have together. */
  readonly memory: MemoryLimit;
  /** Gives an id that no other producer of the transport has. */
  readonly nextProducerId: () => number;
  /** The log of the topic, which its publishers share. */
  readonly log: TopicLog;
  readonly trouble: PublishingTrouble;
  /** Names the publisher in {@link trouble} until it is open. */
  readonly key: string;
  /** Called when the publisher is closed. */
  readonly onClosed: () => void;
}

/** Publishes to a topic and all its partitions. */
export class WirePublisher implements Publisher {
  readonly #host: ProducerHost;
  readonly #options: WirePublisherOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #budget: PublishBudget;
  readonly #metrics: ProducerMetrics;
  readonly #codec: Codec | undefined;
  readonly #stop = crowdedController();
  readonly #jobs: Promise<void>[] = [];
  readonly #routerStart = Math.floor(Math.random() * 2 ** 31);
  #producers: readonly PartitionProducer[] = [];
  #partitioned = false;
  readonly #expected: ExpectedPartitions;
  readonly #drops: DropLog;
  #opening: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(host: ProducerHost, options: WirePublisherOptions) {
    const { publisher, topic, meter, memory } = options;
    this.#host = host;
    this.#options = options;
    this.#clock = host.clock;
    this.#logger = host.logger.child({ topic: topic.full });
    this.#budget = new PublishBudget(publisher.maxPendingMessages, publisher.maxPendingBytes, memory);
    this.#metrics = new ProducerMetrics(meter, topic.full, publisher.producerName);
    this.#codec = options.codec;
    this.#drops = new DropLog(this.#logger, this.#clock);
    this.#expected = new ExpectedPartitions(host, topic, this.#stop.signal);
  }

  /** Opens all producers. To be called once, before anything else. @throws why the topic cannot be published to. */
  open(signal: AbortSignal): Promise<void> {
    const opening = withEither([signal, this.#stop.signal], (either) => this.#open(either));
    this.#opening = opening.catch(() => undefined); // whoever opens learns of it
    return opening;
  }

  get lastSequenceIds(): readonly bigint[] {
    return this.#producers.map((producer) => BigInt(producer.foundId));
  }

  /** The topic's full name. */
  get topic(): string {
    return this.#options.topic.full;
  }

  get full(): boolean {
    return this.#budget.full;
  }

  async room(signal: AbortSignal): Promise<void> {
    // What waits to be batched waits in vain: nothing can be added to it before there is room.
    if (this.#budget.full) for (const producer of this.#producers) producer.flushBatch();
    await this.#budget.room(signal);
  }

  send(message: OutgoingMessage, delivery: Delivery, sequenceId?: bigint): void {
    const producers = this.#producers;
    if (failUnsendable(this.#options.topic.full, message, delivery)) return;
    if (sequenceId !== undefined && (sequenceId < 0n || sequenceId > maxSequenceId)) {
      const error = invalidSequenceId(this.#options.topic.full, sequenceId);
      queueMicrotask(() => delivery.failed(error));
      return;
    }
    const index =
      producers.length === 1
        ? 0
        : choosePartition(message, sequenceId, producers.length, this.#clock.now(), this.#routerStart);
    const held = heldBytes(message);
    this.#budget.take(held);
    this.#metrics.pending(this.#budget.messages);
    // The router stays below the number of producers, and there is at least one once the publisher is open.
    const chosenId = sequenceId === undefined ? undefined : Number(sequenceId);
    producers[index]?.send(message, delivery, chosenId, held);
  }

  async flush(signal: AbortSignal): Promise<void> {
    await withEither([signal], (either) =>
      Promise.all(this.#producers.map((producer) => producer.flush(either))),
    );
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const closed = this.#closedError();
    this.#budget.end(closed);
    this.#stop.abort(closed);
    await this.#opening;
    await Promise.all(this.#jobs);
    await Promise.all(this.#producers.map((producer) => producer.close()));
    this.#drops.close();
    this.#options.onClosed();
  }

  async #open(signal: AbortSignal): Promise<void> {
    const deadline = this.#clock.monotonic() + this.#options.operationTimeoutMs;
    const count = await this.#countPartitions(deadline, signal);
    this.#options.trouble.opened(this.#options.key);
    this.#partitioned = count > 0;
    await this.#expected.expect(count, signal);
    this.#producers = await this.#openProducers(0, Math.max(1, count), deadline, signal);
    if (this.#partitioned)
      this.#logger.info({ producer: this.#producers[0]?.name, partitions: count }, "producer ready");
    for (const producer of this.#producers) this.#jobs.push(producer.run(this.#stop.signal));
    if (this.#partitioned) this.#jobs.push(this.#watchGrowth());
  }

  /** Partitions of the topic; 0 when it has none. Transient failures are tried again until `deadline`. */
  #countPartitions(deadline: number, signal: AbortSignal): Promise<number> {
    const warn = warnOfEachCode(this.#logger, "partition count not known, trying again");
    const reachBy = Math.min(deadline, this.#clock.monotonic() + this.#options.reachMs);
    const policy = {
      clock: this.#clock,
      backoff: new Backoff(backoffMs),
      onFailed: (error: ConnectorError) => {
        warn(error);
        this.#options.trouble.failed(this.#options.key, error);
      },
      isFinal: (error: ConnectorError, pauseMs: number) =>
        !isRetryable(error) ||
        this.#clock.monotonic() + pauseMs >= (hasCode(error, "PIO_PULSAR_UNREACHABLE") ? reachBy : deadline),
    };
    return retrying(policy, signal, () =>
      this.#host.lookup.partitions(this.#options.topic.full, true, signal),
    );
  }

  /** Producers for the partitions `from` to `to`; the first alone, because the others take its name. */
  async #openProducers(
    from: number,
    to: number,
    deadline: number,
    signal: AbortSignal,
  ): Promise<readonly PartitionProducer[]> {
    const opened: PartitionProducer[] = [];
    try {
      const first = this.#producer(from, this.#producers[0]?.name);
      opened.push(first);
      await first.open(deadline, signal);
      const others = Array.from({ length: to - from - 1 }, (_, index) =>
        this.#producer(from + 1 + index, first.name),
      );
      opened.push(...others);
      const results = await Promise.allSettled(others.map((producer) => producer.open(deadline, signal)));
      for (const result of results) if (result.status === "rejected") throw toError(result.reason);
      return opened;
    } catch (error) {
      await Promise.all(opened.map((producer) => producer.close()));
      throw error;
    }
  }

  #producer(index: number, sharedName: string | undefined): PartitionProducer {
    const { topic, publisher, operationTimeoutMs, nextProducerId } = this.#options;
    const partitioned = this.#partitioned;
    const options: PartitionProducerOptions = {
      topic: partitioned ? `${topic.full}-partition-${index}` : topic.full,
      producerId: nextProducerId(),
      partition: partitioned ? index : topic.partition,
      producerName: publisher.producerName ?? sharedName,
      nameChosen: publisher.producerName !== undefined,
      properties: publisher.producerProperties,
      accessMode: publisher.accessMode,
      schema: publisher.schema,
      publisher,
      codec: this.#codec,
      operationTimeoutMs,
      metrics: this.#metrics,
      onHeld: this.#onHeld,
      onSettled: (messages, bytes) => {
        this.#budget.release(messages, bytes);
        this.#metrics.pending(this.#budget.messages);
      },
      onDropped: (messages) => this.#drops.dropped(messages),
      log: this.#options.log,
      trouble: this.#options.trouble,
      isWhole: !partitioned,
      checkPartition: (since, signal) => this.#expected.check(since, signal),
      checkOpened: (signal) => this.#expected.checkOpened(signal),
      onFailed: (error) => this.#producerFailed(error),
    };
    const logger = partitioned ? this.#logger.child({ partition: index }) : this.#logger;
    return new PartitionProducer({ ...this.#host, logger }, options);
  }

  readonly #onHeld = (bytes: number): void => this.#budget.hold(bytes);

  #shrunk(error: ConnectorError): void {
    this.#logger.error({ err: error }, "topic has fewer partitions");
    this.#producerFailed(error);
  }

  #producerFailed(error: ConnectorError): void {
    // Records of one key would go to other partitions, and those for the missing ones nowhere.
    if (hasCode(error, "PIO_PARTITIONS_GONE")) {
      for (const producer of this.#producers) producer.fail(error, false);
    }
    const [first] = this.#producers;
    if (first?.final !== undefined && this.#producers.every((producer) => producer.final !== undefined)) {
      this.#budget.end(first.final);
    }
  }

  /** Ends when the publisher is closed, by returning. */
  async #watchGrowth(): Promise<void> {
    const { signal } = this.#stop;
    let said: string | undefined;
    while (!signal.aborted) {
      try {
        await this.#clock.sleep(growthCheckMs, signal);
        await this.#grow(signal);
        said = undefined;
      } catch (error) {
        if (signal.aborted) return;
        // Once for each reason: until it is mended, what belongs to the new partitions goes to the old ones.
        if (codeOf(error) !== said)
          this.#logger.warn({ err: error }, "new partitions not opened, trying again");
        said = codeOf(error);
      }
    }
  }

  async #grow(signal: AbortSignal): Promise<void> {
    const before = this.#producers.length;
    const count = await this.#expected.countNow(signal);
    if (count === undefined || count === before) return;
    if (count < before) {
      // The service URL of a topic that has migrated is the old cluster's.
      const hasMigrated = this.#producers.some((producer) => producer.hasMigrated);
      if (!hasMigrated) this.#shrunk(this.#expected.gone(count));
      return;
    }
    const deadline = this.#clock.monotonic() + this.#options.operationTimeoutMs;
    await this.#expected.expect(count, signal);
    const more = await this.#openProducers(before, count, deadline, signal);
    for (const producer of more) this.#jobs.push(producer.run(signal));
    // Only now: a message must never be routed to a partition that has no producer yet.
    this.#producers = [...this.#producers, ...more];
    this.#logger.info({ partitions: count, before }, "topic has more partitions");
  }

  #closedError(): PublisherClosedError {
    return new PublisherClosedError(`the publisher to ${this.#options.topic.full} is closed`);
  }
}
