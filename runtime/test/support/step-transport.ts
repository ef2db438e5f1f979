import { ConnectorError } from "@pulsar-ts-io/core";
import type {
  Delivery,
  MessageId,
  OutgoingMessage,
  Publisher,
  PublisherOptions,
  Transport,
} from "@pulsar-ts-io/pulsar";

/** What a broker, or the transport, says no with. */
export class TestPublishError extends ConnectorError {
  readonly code: string;
  readonly retryable = false;

  constructor(message: string, code = "PIO_TEST_REFUSED") {
    super(message, { remedy: "do something else" });
    this.code = code;
  }
}

export interface SentMessage {
  readonly topic: string;
  /** The name that was given to the producer. */
  readonly producer: string | undefined;
  readonly message: OutgoingMessage;
  readonly delivery: Delivery;
  readonly sequenceId: bigint | undefined;
}

/** Where it keeps everything. */
export const storedAs: MessageId = { ledgerId: 1n, entryId: 1n, partition: -1, batchIndex: -1 };

export interface StepTransportOptions {
  /** Unsettled messages at which a publisher is full; default: never. */
  readonly window?: number;
  /** Where others hold for a topic. */
  readonly windows?: ReadonlyMap<string, number>;
  /** Refuses to open these topics. */
  readonly refuse?: ReadonlyMap<string, Error>;
  /** Asked at each opening: an error refuses it, a promise holds it back. */
  readonly opening?: (topic: string, producer: string | undefined) => Error | Promise<void> | undefined;
  /** The last number that a topic has of a producer's name; default: nobody can tell. */
  readonly lastSequenceId?: (topic: string, producer: string | undefined) => bigint;
  /** Notes what happens, in order. */
  readonly log?: string[];
}

/** A Pulsar that confirms nothing by itself: the test says when, and whether. */
export class StepTransport implements Transport {
  /** Sent and not settled, in order. */
  readonly unsettled: SentMessage[] = [];
  readonly opened: string[] = [];
  readonly log: string[];
  readonly #options: StepTransportOptions;
  readonly #changed = new Set<() => void>();
  #publishers = 0;
  #broken: Error | undefined;
  #closesHeld: Promise<void> | undefined;

  constructor(options: StepTransportOptions = {}) {
    this.#options = options;
    this.log = options.log ?? [];
  }

  get openPublishers(): number {
    return this.#publishers;
  }

  async open(
    topic: string,
    { producerName: producer }: PublisherOptions,
    signal: AbortSignal,
  ): Promise<Publisher> {
    signal.throwIfAborted();
    const outcome = this.#options.refuse?.get(topic) ?? this.#options.opening?.(topic, producer);
    if (outcome instanceof Error) throw outcome;
    await outcome;
    this.opened.push(topic);
    this.#publishers += 1;
    const name = producer === undefined ? topic : `${producer} to ${topic}`;
    this.log.push(`open ${name}`);
    return this.#publisher(topic, producer, name);
  }

  /** Confirms the message at `index` of {@link unsettled}; false when there is none. */
  confirm(index = 0): boolean {
    return this.#settle(index, (delivery) => delivery.stored(storedAs));
  }

  /** Refuses it for good. */
  refuse(index: number, error: ConnectorError): boolean {
    return this.#settle(index, (delivery) => delivery.failed(error));
  }

  /** Nothing can be published any more: whoever waits learns of it. */
  breakDown(error: Error): void {
    this.#broken = error;
    this.#notify();
  }

  /** Publishers that are closed from now on are so only after `held`. */
  holdCloses(held: Promise<void>): void {
    this.#closesHeld = held;
  }

  close(): Promise<void> {
    this.log.push("close transport");
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #publisher(topic: string, producer: string | undefined, name: string): Publisher {
    const mine = () => this.unsettled.filter((sent) => sent.topic === topic && sent.producer === producer);
    const { window: usual = Number.POSITIVE_INFINITY, windows } = this.#options;
    const window = windows?.get(topic) ?? usual;
    let closed = false;
    const close = async () => {
      if (closed) return;
      closed = true;
      await this.#closesHeld;
      this.#publishers -= 1;
      this.log.push(`close ${name}`);
      for (const sent of mine()) {
        this.unsettled.splice(this.unsettled.indexOf(sent), 1);
        sent.delivery.failed(new TestPublishError("the publisher was closed", "PIO_PUBLISHER_CLOSED"));
      }
      this.#notify();
    };
    const closedError = () => new TestPublishError("the publisher is closed", "PIO_PUBLISHER_CLOSED");
    const last = this.#options.lastSequenceId?.(topic, producer);
    return {
      lastSequenceIds: last === undefined ? undefined : [last],
      send: (message, delivery, sequenceId) =>
        void this.unsettled.push({ topic, producer, message, delivery, sequenceId }),
      get full() {
        return mine().length >= window;
      },
      room: async (signal) => {
        await this.#until(() => closed || mine().length < window, signal);
        if (closed) throw closedError();
      },
      flush: async (signal) => {
        this.log.push(`flush ${name}`);
        await this.#until(() => mine().length === 0, signal);
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  #settle(index: number, settle: (delivery: Delivery) => void): boolean {
    const [sent] = this.unsettled.splice(index, 1);
    if (sent === undefined) return false;
    settle(sent.delivery);
    this.#notify();
    return true;
  }

  #notify(): void {
    for (const listener of [...this.#changed]) listener();
  }

  #until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (signal.aborted) reject(signal.reason);
        else if (this.#broken !== undefined) reject(this.#broken);
        else if (condition()) resolve();
        else return;
        this.#changed.delete(check);
        signal.removeEventListener("abort", check);
      };
      this.#changed.add(check);
      signal.addEventListener("abort", check);
      check();
    });
  }
}
