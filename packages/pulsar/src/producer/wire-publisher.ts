import { type Clock, type Logger, type Meter, toError } from "@pulsar-ts-io/core";
import { resolveCompression } from "../compression.ts";
import { InvalidSequenceIdError, PublisherClosedError } from "../errors.ts";
import type { Delivery, OutgoingMessage, Publisher, PublisherOptions } from "../publisher.ts";
import type { TopicName } from "../topic-name.ts";
import { PartitionProducer, type PartitionProducerOptions, type ProducerHost } from "./partition-producer.ts";
import { ProducerMetrics } from "./producer-metrics.ts";
import { PublishBudget } from "./publish-budget.ts";
import { choosePartition } from "./router.ts";

/** How often it is asked whether the topic has got more partitions. */
const growthCheckMs = 60_000;

export interface WirePublisherOptions {
  readonly topic: TopicName;
  readonly publisher: PublisherOptions;
  readonly operationTimeoutMs: number;
  readonly meter: Meter;
  /** Gives an id that no other producer of the transport has. */
  readonly nextProducerId: () => number;
}

/** Publishes to a topic and all its partitions. */
export class WirePublisher implements Publisher {
  readonly #host: ProducerHost;
  readonly #options: WirePublisherOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #budget: PublishBudget;
  readonly #metrics: ProducerMetrics;
  readonly #codec;
  readonly #stop = new AbortController();
  readonly #jobs: Promise<void>[] = [];
  readonly #routerStart = Math.floor(Math.random() * 2 ** 31);
  #producers: readonly PartitionProducer[] = [];
  /** Highest sequence id that the caller chose, for each partition. */
  readonly #chosen: number[] = [];
  #closed: Promise<void> | undefined;

  constructor(host: ProducerHost, options: WirePublisherOptions) {
    const { publisher, topic, meter } = options;
    this.#host = host;
    this.#options = options;
    this.#clock = host.clock;
    this.#logger = host.logger.child({ topic: topic.full });
    this.#budget = new PublishBudget(publisher.maxPendingMessages, publisher.maxPendingBytes);
    this.#metrics = new ProducerMetrics(meter, { topic: topic.full });
    this.#codec = resolveCompression(publisher.compression, this.#logger);
  }

  /** Opens all producers. To be called once, before anything else. @throws why the topic cannot be published to. */
  async open(signal: AbortSignal): Promise<void> {
    const { topic } = this.#options;
    const count = await this.#host.lookup.partitions(topic.full, true, signal);
    this.#producers = await this.#openProducers(0, Math.max(1, count), count > 0, signal);
    for (const producer of this.#producers) this.#jobs.push(producer.run(this.#stop.signal));
    if (count > 0) this.#jobs.push(this.#watchGrowth());
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
    const index =
      producers.length === 1
        ? 0
        : choosePartition(message, sequenceId, producers.length, this.#clock.now(), this.#routerStart);
    const producer = producers[index];
    const refusal = producer === undefined ? this.#closedError() : this.#checkSequence(index, sequenceId);
    if (producer === undefined || refusal !== undefined) {
      queueMicrotask(() => delivery.failed(refusal ?? this.#closedError()));
      return;
    }
    this.#budget.take(message.value.length);
    producer.send(message, delivery, sequenceId === undefined ? undefined : Number(sequenceId));
  }

  async flush(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await Promise.all(this.#producers.map((producer) => producer.flush(signal)));
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
    await Promise.all(this.#jobs);
    await Promise.all(this.#producers.map((producer) => producer.close()));
  }

  /** Producers for the partitions `from` to `to`; the first alone, because the others take its name. */
  async #openProducers(
    from: number,
    to: number,
    partitioned: boolean,
    signal: AbortSignal,
  ): Promise<readonly PartitionProducer[]> {
    const opened: PartitionProducer[] = [];
    try {
      const first = this.#producer(from, partitioned, this.#producers[0]?.name);
      opened.push(first);
      await first.open(signal);
      const others = Array.from({ length: to - from - 1 }, (_, index) =>
        this.#producer(from + 1 + index, partitioned, first.name),
      );
      opened.push(...others);
      const results = await Promise.allSettled(others.map((producer) => producer.open(signal)));
      for (const result of results) if (result.status === "rejected") throw toError(result.reason);
      return opened;
    } catch (error) {
      await Promise.all(opened.map((producer) => producer.close()));
      throw error;
    }
  }

  #producer(index: number, partitioned: boolean, sharedName: string | undefined): PartitionProducer {
    const { topic, publisher, operationTimeoutMs, nextProducerId } = this.#options;
    const options: PartitionProducerOptions = {
      topic: partitioned ? `${topic.full}-partition-${index}` : topic.full,
      producerId: nextProducerId(),
      partition: partitioned ? index : topic.partition,
      producerName: publisher.producerName ?? sharedName,
      nameChosen: publisher.producerName !== undefined,
      publisher,
      codec: this.#codec,
      operationTimeoutMs,
      metrics: this.#metrics,
      onSettled: (messages, bytes) => {
        this.#budget.release(messages, bytes);
        this.#metrics.pending(this.#budget.messages);
      },
      onFailed: () => this.#endIfAllFailed(),
    };
    const logger = partitioned ? this.#logger.child({ partition: index }) : this.#logger;
    return new PartitionProducer({ ...this.#host, logger }, options);
  }

  #endIfAllFailed(): void {
    const [first] = this.#producers;
    if (first?.final !== undefined && this.#producers.every((producer) => producer.final !== undefined)) {
      this.#budget.end(first.final);
    }
  }

  async #watchGrowth(): Promise<void> {
    const { topic } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#clock.sleep(growthCheckMs, signal);
        const count = await this.#host.lookup.partitions(topic.full, false, signal);
        const before = this.#producers.length;
        if (count <= before) continue;
        const more = await this.#openProducers(before, count, true, signal);
        for (const producer of more) this.#jobs.push(producer.run(signal));
        // Only now: a message must never be routed to a partition that has no producer yet.
        this.#producers = [...this.#producers, ...more];
        this.#logger.info({ partitions: count, before }, "topic has more partitions");
      } catch (error) {
        if (!signal.aborted)
          this.#logger.debug({ err: error }, "partition count not known, asking again later");
      }
    }
  }

  /** Why `sequenceId` cannot be used; `undefined` when it can, and then it is taken note of. */
  #checkSequence(partition: number, sequenceId: bigint | undefined): InvalidSequenceIdError | undefined {
    if (sequenceId === undefined) return undefined;
    const before = this.#chosen[partition] ?? -1;
    if (sequenceId > BigInt(before) && sequenceId <= BigInt(Number.MAX_SAFE_INTEGER)) {
      this.#chosen[partition] = Number(sequenceId);
      return undefined;
    }
    return new InvalidSequenceIdError(
      `sequence id ${sequenceId} cannot follow ${before} on ${this.#options.topic.full}`,
      { remedy: "give sequence ids that are integers of 0 to 2^53 - 1 and strictly increase" },
    );
  }

  #closedError(): PublisherClosedError {
    return new PublisherClosedError(`the publisher to ${this.#options.topic.full} is closed`);
  }
}
