import type { Writable } from "node:stream";
import type { ConnectorError } from "@pulsar-ts-io/core";
import { ConsoleClosedError, PublisherClosedError } from "./errors.ts";
import { failUnsendable } from "./message-check.ts";
import { formatMessage } from "./message-text.ts";
import { heldBytes } from "./producer/held-bytes.ts";
import { PublishBudget } from "./producer/publish-budget.ts";
import type { Delivery, OutgoingMessage, Publisher, PublisherOptions, Transport } from "./publisher.ts";
import { parseTopicName } from "./topic-name.ts";
import { Once, waitFor } from "./wait.ts";

/**
 * Writes each message to a stream, as `pulsar-client consume` prints it; a message is stored when the stream has taken it.
 *
 * Message ids count the messages of the transport. The stream stays open: it belongs to whoever made it.
 */
export class ConsoleTransport implements Transport {
  readonly #stream: Writable;
  readonly #publishers = new Set<ConsolePublisher>();
  #written = 0n;

  constructor(stream: Writable) {
    this.#stream = stream;
    // Once for all publishers: Node warns of a stream that more than ten listen to.
    stream.on("error", this.#onStreamEnd);
    stream.on("close", this.#onStreamEnd);
  }

  open(topic: string, options: PublisherOptions, signal: AbortSignal): Promise<Publisher> {
    try {
      signal.throwIfAborted();
      return Promise.resolve(this.#open(parseTopicName(topic).full, options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #open(topic: string, options: PublisherOptions): Publisher {
    const publisher = new ConsolePublisher(this.#stream, options, {
      topic,
      nextEntry: () => this.#written++,
      onStreamEnd: this.#onStreamEnd,
      onClosed: () => this.#publishers.delete(publisher),
    });
    this.#publishers.add(publisher);
    return publisher;
  }

  async close(): Promise<void> {
    this.#stream.off("error", this.#onStreamEnd);
    this.#stream.off("close", this.#onStreamEnd);
    await Promise.all([...this.#publishers].map((publisher) => publisher.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #onStreamEnd = (cause?: unknown): void => {
    const error = new ConsoleClosedError("the stream that messages are written to is closed", {
      cause,
      remedy: "keep the reader of this program's output running",
    });
    for (const publisher of [...this.#publishers]) publisher.end(error);
  };
}

/** What a publisher needs of its transport. */
interface ConsoleHost {
  readonly topic: string;
  readonly nextEntry: () => bigint;
  /** To be told when the stream takes nothing any more. */
  readonly onStreamEnd: (cause: unknown) => void;
  readonly onClosed: () => void;
}

interface Waiting {
  readonly delivery: Delivery;
  readonly bytes: number;
}

class ConsolePublisher implements Publisher {
  readonly #stream: Writable;
  readonly #budget: PublishBudget;
  readonly #host: ConsoleHost;
  readonly #waiting = new Set<Waiting>();
  #flushed: (() => void)[] = [];
  #final: ConnectorError | undefined;

  constructor(stream: Writable, options: PublisherOptions, host: ConsoleHost) {
    this.#stream = stream;
    this.#budget = new PublishBudget(options.maxPendingMessages, options.maxPendingBytes);
    this.#host = host;
  }

  get full(): boolean {
    return this.#budget.full || this.#stream.writableNeedDrain;
  }

  async room(signal: AbortSignal): Promise<void> {
    await this.#budget.room(signal);
    while (this.#stream.writableNeedDrain && this.#final === undefined) await drained(this.#stream, signal);
    if (this.#final !== undefined) throw this.#final;
  }

  send(message: OutgoingMessage, delivery: Delivery): void {
    const final = this.#final;
    if (final !== undefined) {
      queueMicrotask(() => delivery.failed(final));
      return;
    }
    if (failUnsendable(this.#host.topic, message, delivery)) return;
    const waiting: Waiting = { delivery, bytes: heldBytes(message) };
    this.#waiting.add(waiting);
    this.#budget.take(waiting.bytes);
    this.#stream.write(formatMessage(message), (error) => {
      if (error === null || error === undefined) this.#stored(waiting);
      else this.#host.onStreamEnd(error);
    });
  }

  async flush(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#waiting.size === 0) return;
    await waitFor(new Promise<void>((resolve) => this.#flushed.push(resolve)), signal);
  }

  close(): Promise<void> {
    this.end(new PublisherClosedError("the publisher to the console is closed"));
    this.#host.onClosed();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #stored(waiting: Waiting): void {
    if (!this.#waiting.delete(waiting)) return;
    this.#budget.release(1, waiting.bytes);
    waiting.delivery.stored({ ledgerId: 0n, entryId: this.#host.nextEntry(), partition: -1, batchIndex: -1 });
    this.#wakeFlushed();
  }

  /** Fails what is not written, and what comes. The first error counts. */
  end(error: ConnectorError): void {
    if (this.#final !== undefined) return;
    this.#final = error;
    this.#budget.end(error);
    for (const { delivery } of this.#waiting) delivery.failed(error);
    this.#waiting.clear();
    this.#wakeFlushed();
  }

  #wakeFlushed(): void {
    if (this.#waiting.size > 0) return;
    const flushed = this.#flushed;
    this.#flushed = [];
    for (const resolve of flushed) resolve();
  }
}

async function drained(stream: Writable, signal: AbortSignal): Promise<void> {
  const events = ["drain", "close", "error"] as const;
  const drain = new Once<true>();
  const onEvent = () => drain.happen(true);
  for (const event of events) stream.on(event, onEvent);
  try {
    await waitFor(drain.promise, signal);
  } finally {
    for (const event of events) stream.off(event, onEvent);
  }
}
