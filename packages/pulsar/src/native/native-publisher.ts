import { type Clock, type ConnectorError, hasCode, type Logger, toError } from "@pulsar-ts-io/core";
import { InvalidSequenceIdError, PublisherClosedError, SendTimeoutError } from "../errors.ts";
import { failUnsendable } from "../message-check.ts";
import { heldBytes } from "../producer/held-bytes.ts";
import type { MemoryLimit } from "../producer/memory-limit.ts";
import { invalidSequenceId, messageNotStored } from "../producer/message-failure.ts";
import type { ProducerMetrics } from "../producer/producer-metrics.ts";
import { PublishBudget } from "../producer/publish-budget.ts";
import { choosePartition } from "../producer/router.ts";
import type { Delivery, OutgoingMessage, Publisher, PublisherOptions } from "../publisher.ts";
import type { TopicName } from "../topic-name.ts";
import { Once, waitFor } from "../wait.ts";
import type { NativeModule } from "./load-client.ts";
import { nativeError } from "./native-error.ts";
import { type NativeMessage, nativeMessage, parseMessageId } from "./native-message.ts";

export type NativeProducer = Awaited<ReturnType<InstanceType<NativeModule["Client"]>["createProducer"]>>;

export interface NativePublisherHost {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ProducerMetrics;
  /** What all publishers of the transport share. */
  readonly memory: MemoryLimit;
  /** Told when the publisher is closed. */
  readonly onClosed: () => void;
}

/** One message between `send` and its outcome. */
interface Unsettled {
  readonly message: OutgoingMessage;
  readonly sequenceId: bigint | undefined;
  readonly delivery: Delivery;
  /** Counts the messages of this publisher. */
  readonly number: number;
  readonly takenAt: number;
  /** What the budget counts for it. */
  readonly heldBytes: number;
}

interface FlushWaiter {
  readonly last: number;
  readonly settled: Once<true>;
  left: number;
}

const maxSequenceId = 2n ** 53n - 1n;
/** After these nothing can be published any more. */
const finalCodes = ["PIO_TOPIC_TERMINATED", "PIO_PRODUCER_FENCED", "PIO_PUBLISHER_CLOSED"];

/** A publisher over a producer of `pulsar-client`. What is beyond its window waits here: a full queue of the client would block this thread. */
export class NativePublisher implements Publisher {
  readonly #topic: TopicName;
  readonly #options: PublisherOptions;
  readonly #host: NativePublisherHost;
  readonly #budget: PublishBudget;
  readonly #start = Math.floor(Math.random() * 2 ** 31);
  readonly #unsettled = new Set<Unsettled>();
  #waiting: Unsettled[] = [];
  #waiters: FlushWaiter[] = [];
  #producer: NativeProducer | undefined;
  #routed: Unsettled | undefined;
  #inFlight = 0;
  #count = 0;
  #lastSequenceId: bigint | undefined;
  #final: ConnectorError | undefined;
  #closed: Promise<void> | undefined;

  constructor(topic: TopicName, options: PublisherOptions, host: NativePublisherHost) {
    this.#topic = topic;
    this.#options = options;
    this.#host = host;
    this.#budget = new PublishBudget(options.maxPendingMessages, options.maxPendingBytes, host.memory);
  }

  /** Chooses the partition of the message that is being sent: the client asks in the middle of its `send`. */
  readonly route = (partitions: number): number => {
    const routed = this.#routed;
    if (routed === undefined) return 0;
    const { message, sequenceId } = routed;
    return choosePartition(message, sequenceId, partitions, this.#host.clock.now(), this.#start);
  };

  /** To be called once, before anything else. Keeps the producer: one that is collected dies. */
  attach(producer: NativeProducer): void {
    this.#producer = producer;
  }

  get full(): boolean {
    return this.#budget.full;
  }

  async room(signal: AbortSignal): Promise<void> {
    if (this.#budget.full) this.#pushBatch();
    await this.#budget.room(signal);
  }

  send(message: OutgoingMessage, delivery: Delivery, sequenceId?: bigint): void {
    if (failUnsendable(this.#topic.full, message, delivery)) return;
    const refusal = this.#final ?? this.#judge(sequenceId);
    if (refusal !== undefined) {
      queueMicrotask(() => this.#tell(() => delivery.failed(refusal)));
      return;
    }
    const { clock, metrics } = this.#host;
    const entry = {
      message,
      sequenceId,
      delivery,
      number: this.#count,
      takenAt: clock.monotonic(),
      heldBytes: heldBytes(message),
    };
    this.#count += 1;
    this.#unsettled.add(entry);
    this.#waiting.push(entry);
    this.#budget.take(entry.heldBytes);
    metrics.pending(this.#budget.messages);
    this.#pump();
  }

  async flush(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#unsettled.size === 0) return;
    const waiter: FlushWaiter = { last: this.#count - 1, left: this.#unsettled.size, settled: new Once() };
    this.#waiters.push(waiter);
    this.#pushBatch();
    try {
      await waitFor(waiter.settled.promise, signal);
    } finally {
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const closed = new PublisherClosedError(`the publisher to ${this.#topic.full} is closed`);
    this.#end(closed);
    for (const entry of this.#waiting.splice(0)) this.#fail(entry, closed);
    try {
      await this.#producer?.close();
    } catch (error) {
      this.#host.logger.debug({ err: toError(error) }, "producer not closed in order");
    }
    for (const entry of [...this.#unsettled]) this.#fail(entry, closed);
    this.#host.onClosed();
  }

  #judge(sequenceId: bigint | undefined): InvalidSequenceIdError | undefined {
    if (sequenceId === undefined) return undefined;
    const topic = this.#topic.full;
    if (sequenceId < 0n || sequenceId > maxSequenceId) return invalidSequenceId(topic, sequenceId);
    if (this.#options.producerName === undefined) {
      return new InvalidSequenceIdError(`the sequence id ${sequenceId} for ${topic} needs a producer name`, {
        details: { topic },
        remedy:
          "name the producer: the native transport sends without batches then, and the broker knows the name again",
      });
    }
    const before = this.#lastSequenceId;
    if (before !== undefined && sequenceId <= before) {
      return invalidSequenceId(topic, sequenceId, Number(before));
    }
    this.#lastSequenceId = sequenceId;
    return undefined;
  }

  /** Hands over what waits, as far as the client's queue is sure to have room. */
  #pump(): void {
    while (this.#inFlight < this.#options.maxPendingMessages) {
      const entry = this.#waiting.shift();
      if (entry === undefined) return;
      this.#hand(entry);
    }
  }

  #hand(entry: Unsettled): void {
    const topic = this.#topic.full;
    let message: NativeMessage;
    try {
      message = nativeMessage(topic, entry.message, entry.sequenceId);
    } catch (error) {
      queueMicrotask(() => this.#fail(entry, nativeError(error, `publishing to ${topic}`)));
      return;
    }
    this.#inFlight += 1;
    this.#host.metrics.written(1, 1);
    this.#routed = entry;
    const sent = this.#producer?.send(message) ?? Promise.reject(new Error("the producer is not open"));
    this.#routed = undefined;
    sent.then(
      (id) => this.#answered(() => this.#stored(entry, id.toString())),
      (reason: unknown) => this.#answered(() => this.#fail(entry, sendError(reason, topic))),
    );
  }

  #answered(settle: () => void): void {
    this.#inFlight -= 1;
    settle();
    if (this.#final === undefined) this.#pump();
  }

  #stored(entry: Unsettled, idText: string): void {
    const id = parseMessageId(idText);
    // Without an id a persistent topic has it already: only the client's own resending repeats a number that it has given.
    if (id === undefined && this.#topic.domain === "non-persistent") {
      this.#fail(entry, messageNotStored(this.#topic.full));
      return;
    }
    if (!this.#settle(entry)) return;
    const { clock, metrics } = this.#host;
    metrics.confirmed(1, entry.message.value.length, (clock.monotonic() - entry.takenAt) / 1_000);
    this.#tell(() => entry.delivery.stored(id));
    this.#wake(entry);
  }

  #fail(entry: Unsettled, error: ConnectorError): void {
    if (finalCodes.some((code) => hasCode(error, code))) this.#end(error);
    if (!this.#settle(entry)) return;
    this.#host.metrics.failed(1);
    this.#tell(() => entry.delivery.failed(error));
    this.#wake(entry);
  }

  /** @returns whether the outcome is the first one of this message. */
  #settle(entry: Unsettled): boolean {
    if (!this.#unsettled.delete(entry)) return false;
    this.#budget.release(1, entry.heldBytes);
    this.#host.metrics.pending(this.#budget.messages);
    return true;
  }

  #wake(entry: Unsettled): void {
    for (const waiter of this.#waiters) {
      if (entry.number > waiter.last) continue;
      waiter.left -= 1;
      if (waiter.left === 0) waiter.settled.happen(true);
    }
  }

  #end(error: ConnectorError): void {
    this.#final ??= error;
    this.#budget.end(error);
    if (this.#closed !== undefined) return;
    for (const entry of this.#waiting.splice(0)) queueMicrotask(() => this.#fail(entry, error));
  }

  /** A batch that waits for more sends what it has; each of its messages learns its own outcome. */
  #pushBatch(): void {
    this.#producer?.flush().catch((error: unknown) => {
      this.#host.logger.debug({ err: toError(error) }, "batch not flushed");
    });
  }

  /** A defect of whoever listens must not stop the others from learning theirs. */
  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#host.logger.error({ err: toError(error) }, "a delivery threw when it was told its outcome");
    }
  }
}

/** What a time-out means depends on what it ends: here on a message that may have been stored all the same. */
function sendError(reason: unknown, topic: string): ConnectorError {
  const error = nativeError(reason, `publishing to ${topic}`);
  if (!hasCode(error, "PIO_PULSAR_TIMEOUT")) return error;
  return new SendTimeoutError(`a message to ${topic} was not confirmed within the send time-out`, {
    cause: error,
    details: { topic },
    remedy: "raise the send time-out, or leave it out to wait for ever",
  });
}
