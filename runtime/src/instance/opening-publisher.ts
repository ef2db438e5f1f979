import {
  type Delivery,
  type OutgoingMessage,
  type Publisher,
  PublisherClosedError,
} from "@pulsar-ts-io/pulsar";

/** What all publishers that are being opened may hold back together. */
export interface WaitingLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** The messages that wait for their publishers to be open. */
export class WaitingRoom {
  readonly #limits: WaitingLimits;
  #messages = 0;
  #bytes = 0;

  constructor(limits: WaitingLimits) {
    this.#limits = limits;
  }

  get full(): boolean {
    return this.#messages >= this.#limits.messages || this.#bytes >= this.#limits.bytes;
  }

  /** @param bytes of one message; negative when it leaves. */
  count(messages: 1 | -1, bytes: number): void {
    this.#messages += messages;
    this.#bytes += bytes;
  }
}

interface Waiting {
  readonly message: OutgoingMessage;
  readonly delivery: Delivery;
  readonly sequenceId: bigint | undefined;
}

/**
 * Stands for a publisher while that is being opened, so that nobody else has to wait for it: keeps what it is sent, and hands it on
 * in the same order.
 */
export class OpeningPublisher implements Publisher {
  readonly #room: WaitingRoom;
  readonly #opened: Promise<Publisher | undefined>;
  #waiting: Waiting[] = [];
  #publisher: Publisher | undefined;
  #closed = false;

  /**
   * @param open resolves with the publisher, or `undefined` when there will be none; it has reported why.
   * @param onOpened is called in the same turn in which the messages that waited are handed on.
   */
  constructor(
    room: WaitingRoom,
    open: () => Promise<Publisher | undefined>,
    onOpened: (publisher: Publisher) => void,
  ) {
    this.#room = room;
    this.#opened = this.#handOn(open, onOpened);
  }

  send(message: OutgoingMessage, delivery: Delivery, sequenceId?: bigint): void {
    if (this.#publisher !== undefined) this.#publisher.send(message, delivery, sequenceId);
    else if (this.#closed) queueMicrotask(() => delivery.failed(closedError()));
    else {
      this.#waiting.push({ message, delivery, sequenceId });
      this.#room.count(1, message.value.byteLength);
    }
  }

  get full(): boolean {
    return this.#publisher?.full ?? (!this.#closed && this.#room.full);
  }

  async room(signal: AbortSignal): Promise<void> {
    await (await this.#settled(signal))?.room(signal);
  }

  async flush(signal: AbortSignal): Promise<void> {
    await (await this.#settled(signal))?.flush(signal);
  }

  /** What waits is given up. A publisher that opens all the same is closed then; nobody waits for that. */
  async close(): Promise<void> {
    this.#giveUp();
    await this.#publisher?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #handOn(
    open: () => Promise<Publisher | undefined>,
    onOpened: (publisher: Publisher) => void,
  ): Promise<Publisher | undefined> {
    const publisher = await open();
    if (publisher === undefined || this.#closed) {
      this.#giveUp();
      await publisher?.close();
      return undefined;
    }
    this.#publisher = publisher;
    for (const { message, delivery, sequenceId } of this.#leave())
      publisher.send(message, delivery, sequenceId);
    onOpened(publisher);
    return publisher;
  }

  #giveUp(): void {
    this.#closed = true;
    for (const { delivery } of this.#leave()) delivery.failed(closedError());
  }

  #leave(): readonly Waiting[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { message } of waiting) this.#room.count(-1, -message.value.byteLength);
    return waiting;
  }

  /** Waits until it is clear whether there is a publisher, or `signal` aborts: then its reason. */
  async #settled(signal: AbortSignal): Promise<Publisher | undefined> {
    signal.throwIfAborted();
    let stop: () => void = () => undefined;
    const aborted = new Promise<never>((_, reject) => {
      stop = () => reject(signal.reason);
    });
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await Promise.race([this.#opened, aborted]);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }
}

function closedError(): PublisherClosedError {
  return new PublisherClosedError("the publisher was closed before it was open");
}
