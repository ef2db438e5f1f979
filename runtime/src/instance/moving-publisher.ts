import type { Delivery, OutgoingMessage, Publisher } from "@pulsar-ts-io/pulsar";

export interface MovingPublisherDeps {
  /** Aborted when the partition is released. */
  readonly signal: AbortSignal;
  /** Makes the publisher for later numbers. It opens when `ready` resolves. */
  next(ready: Promise<void>): Publisher;
}

/**
 * Sends the messages of one partition by a first publisher up to a number, and by a second one above it. The second one is opened
 * when the first one is closed, with all its messages confirmed.
 */
export class MovingPublisher implements Publisher {
  readonly #first: Publisher;
  readonly #last: bigint;
  readonly #deps: MovingPublisherDeps;
  #next: Publisher | undefined;

  /** @param last the last number that `first` takes. */
  constructor(first: Publisher, last: bigint, deps: MovingPublisherDeps) {
    this.#first = first;
    this.#last = last;
    this.#deps = deps;
  }

  send(message: OutgoingMessage, delivery: Delivery, sequenceId?: bigint): void {
    if (this.#next === undefined && sequenceId !== undefined && sequenceId > this.#last) {
      this.#next = this.#deps.next(this.#leaveFirst());
    }
    (this.#next ?? this.#first).send(message, delivery, sequenceId);
  }

  get full(): boolean {
    return (this.#next ?? this.#first).full;
  }

  room(signal: AbortSignal): Promise<void> {
    return (this.#next ?? this.#first).room(signal);
  }

  async flush(signal: AbortSignal): Promise<void> {
    await this.#first.flush(signal);
    await this.#next?.flush(signal);
  }

  async close(): Promise<void> {
    await this.#next?.close();
    await this.#first.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #leaveFirst(): Promise<void> {
    await this.#first.flush(this.#deps.signal);
    await this.#first.close();
  }
}
