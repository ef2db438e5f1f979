import { type Clock, type ConnectorError, systemClock } from "@pulsar-ts-io/core";
import { PublisherClosedError } from "./errors.ts";
import { failUnsendable } from "./message-check.ts";
import { keyText } from "./message-key.ts";
import { heldBytes } from "./producer/held-bytes.ts";
import { PublishBudget } from "./producer/publish-budget.ts";
import type {
  Delivery,
  MessageId,
  OutgoingMessage,
  Publisher,
  PublisherOptions,
  Transport,
} from "./publisher.ts";
import { parseTopicName } from "./topic-name.ts";
import { waitFor } from "./wait.ts";

/** A message as it was kept. */
export interface StoredMessage {
  readonly topic: string;
  /** A copy: the sender may use its bytes again. */
  readonly value: Uint8Array;
  /** A key of bytes as its Base64. */
  readonly key: string | undefined;
  readonly properties: Readonly<Record<string, string>>;
  readonly eventTime: number | undefined;
  readonly sequenceId: bigint | undefined;
  readonly id: MessageId;
}

export interface MemoryTransportOptions {
  /** From `send` to the receipt; default 0, which still is a later turn of the event loop. */
  readonly latencyMs?: number;
  /** Default the system's. */
  readonly clock?: Clock;
  /** Asked for each message when its receipt is due: an error fails that message, which is not kept. */
  readonly failWith?: (message: OutgoingMessage, topic: string) => ConnectorError | undefined;
  /** Asked for each publisher: an error fails the opening. */
  readonly refuseTopic?: (topic: string) => ConnectorError | undefined;
}

/** Keeps what is published, in order of `send` for each topic; for tests and for trying connectors out. */
export class MemoryTransport implements Transport {
  readonly #options: MemoryTransportOptions;
  readonly #messages: StoredMessage[] = [];
  readonly #publishers = new Set<MemoryPublisher>();
  #held: Promise<void> | undefined;
  #release: () => void = () => undefined;

  constructor(options: MemoryTransportOptions = {}) {
    this.#options = options;
  }

  /** Everything kept so far; of one topic when it is given, by its complete or short name. */
  messages(topic?: string): readonly StoredMessage[] {
    if (topic === undefined) return [...this.#messages];
    const { full } = parseTopicName(topic);
    return this.#messages.filter((message) => message.topic === full);
  }

  /** Holds all receipts back until {@link release}: a broker that does not answer. */
  hold(): void {
    this.#held ??= new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#held = undefined;
    this.#release();
  }

  async open(topic: string, options: PublisherOptions, signal: AbortSignal): Promise<Publisher> {
    signal.throwIfAborted();
    const { full, partition } = parseTopicName(topic);
    const refusal = this.#options.refuseTopic?.(full);
    if (refusal !== undefined) throw refusal;
    const publisher = new MemoryPublisher(options, {
      topic: full,
      clock: this.#options.clock ?? systemClock,
      latencyMs: this.#options.latencyMs ?? 0,
      held: () => this.#held,
      keep: (message, sequenceId) => this.#keep(full, partition, message, sequenceId),
    });
    this.#publishers.add(publisher);
    return publisher;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#publishers].map((publisher) => publisher.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @returns why the message is not kept, or its id. */
  #keep(
    topic: string,
    partition: number,
    message: OutgoingMessage,
    sequenceId: bigint | undefined,
  ): MessageId | ConnectorError {
    const failure = this.#options.failWith?.(message, topic);
    if (failure !== undefined) return failure;
    const id = { ledgerId: 0n, entryId: BigInt(this.#messages.length), partition, batchIndex: -1 };
    this.#messages.push({
      topic,
      value: Uint8Array.from(message.value),
      key: message.key === undefined ? undefined : keyText(message.key),
      properties: { ...message.properties },
      eventTime: message.eventTime,
      sequenceId,
      id,
    });
    return id;
  }
}

interface MemoryStore {
  readonly topic: string;
  readonly clock: Clock;
  readonly latencyMs: number;
  readonly held: () => Promise<void> | undefined;
  readonly keep: (message: OutgoingMessage, sequenceId: bigint | undefined) => MessageId | ConnectorError;
}

interface Unconfirmed {
  readonly message: OutgoingMessage;
  readonly delivery: Delivery;
  readonly sequenceId: bigint | undefined;
  /** Monotonic time at which the receipt comes. */
  readonly dueAt: number;
  /** What the budget counts for it. */
  readonly heldBytes: number;
}

class MemoryPublisher implements Publisher {
  readonly #store: MemoryStore;
  readonly #budget: PublishBudget;
  readonly #stop = new AbortController();
  #unconfirmed: Unconfirmed[] = [];
  #confirming: Promise<void> | undefined;
  #final: PublisherClosedError | undefined;

  constructor(options: PublisherOptions, store: MemoryStore) {
    this.#store = store;
    this.#budget = new PublishBudget(options.maxPendingMessages, options.maxPendingBytes);
  }

  get full(): boolean {
    return this.#budget.full;
  }

  room(signal: AbortSignal): Promise<void> {
    return this.#budget.room(signal);
  }

  send(message: OutgoingMessage, delivery: Delivery, sequenceId?: bigint): void {
    const final = this.#final;
    if (final !== undefined) {
      queueMicrotask(() => delivery.failed(final));
      return;
    }
    if (failUnsendable(this.#store.topic, message, delivery)) return;
    const dueAt = this.#store.clock.monotonic() + this.#store.latencyMs;
    const held = heldBytes(message);
    this.#unconfirmed.push({ message, delivery, sequenceId, dueAt, heldBytes: held });
    this.#budget.take(held);
    this.#confirming ??= this.#confirm();
  }

  async flush(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#confirming !== undefined) await waitFor(this.#confirming, signal);
  }

  async close(): Promise<void> {
    if (this.#final === undefined) {
      this.#final = new PublisherClosedError("the publisher to memory is closed");
      this.#budget.end(this.#final);
      this.#stop.abort(this.#final);
    }
    await this.#confirming;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #confirm(): Promise<void> {
    const { signal } = this.#stop;
    try {
      for (let next = this.#unconfirmed[0]; next !== undefined; next = this.#unconfirmed[0]) {
        await this.#store.clock.sleep(next.dueAt - this.#store.clock.monotonic(), signal);
        for (let held = this.#store.held(); held !== undefined; held = this.#store.held()) {
          await waitFor(held, signal);
        }
        this.#settleDue();
      }
    } catch (error) {
      if (this.#final === undefined) throw error;
      for (const { delivery, heldBytes: held } of this.#unconfirmed.splice(0)) {
        this.#budget.release(1, held);
        delivery.failed(this.#final);
      }
    } finally {
      this.#confirming = undefined;
    }
  }

  #settleDue(): void {
    const now = this.#store.clock.monotonic();
    const waits = this.#unconfirmed.findIndex((one) => one.dueAt > now);
    const due = this.#unconfirmed.splice(0, waits < 0 ? this.#unconfirmed.length : waits);
    for (const { message, delivery, sequenceId, heldBytes: held } of due) {
      const outcome = this.#store.keep(message, sequenceId);
      this.#budget.release(1, held);
      if ("entryId" in outcome) delivery.stored(outcome);
      else delivery.failed(outcome);
    }
  }
}
