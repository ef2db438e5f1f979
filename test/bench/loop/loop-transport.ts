import type { Delivery, MessageId, OutgoingMessage, Publisher, Transport } from "@pulsar-ts-io/pulsar";

const id: MessageId = { ledgerId: 1n, entryId: 1n, partition: -1, batchIndex: -1 };
const window = 1_000;

/** Confirms everything in the next turn of the event loop, as receipts come: many at a time. */
export class LoopTransport implements Transport {
  open(): Promise<Publisher> {
    return Promise.resolve(new LoopPublisher());
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

class LoopPublisher implements Publisher {
  #unconfirmed: Delivery[] = [];
  #confirmed: Promise<void> | undefined;

  send(_message: OutgoingMessage, delivery: Delivery): void {
    this.#unconfirmed.push(delivery);
    this.#confirmed ??= this.#confirm();
  }

  get full(): boolean {
    return this.#unconfirmed.length >= window;
  }

  async room(): Promise<void> {
    await this.#confirmed;
  }

  async flush(): Promise<void> {
    await this.#confirmed;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  async #confirm(): Promise<void> {
    await new Promise(setImmediate);
    this.#confirmed = undefined;
    for (const delivery of this.#unconfirmed.splice(0)) delivery.stored(id);
  }
}
