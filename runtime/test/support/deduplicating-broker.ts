import type { Delivery, Publisher, PublisherOptions, Transport } from "@pulsar-ts-io/pulsar";
import { storedAs } from "./step-transport.ts";

/** One topic that deduplicates as Pulsar does: by the producer's name and the last number of that name. */
export class DeduplicatingBroker {
  /** What is in the topic, in order. */
  readonly stored: string[] = [];
  /** The last number of each name, for each partition. */
  readonly last: readonly Map<string, bigint>[];
  /** Named producers that are open. */
  readonly producers = new Set<string>();
  /** The largest number of them at one time. */
  mostProducers = 0;

  /** @param partitions of the topic. */
  constructor(partitions = 1) {
    this.last = Array.from({ length: partitions }, () => new Map<string, bigint>());
  }
}

/** The connection of one process, which dies after it has published a number of messages. */
export class DeduplicatingTransport implements Transport {
  readonly #broker: DeduplicatingBroker;
  readonly #own = new Set<string>();
  #left: number;

  /** @param messages that it publishes before it dies: then nothing arrives, and nothing is confirmed. */
  constructor(broker: DeduplicatingBroker, messages: number = Number.POSITIVE_INFINITY) {
    this.#broker = broker;
    this.#left = messages;
  }

  async open(
    _topic: string,
    { producerName = "" }: PublisherOptions,
    signal: AbortSignal,
  ): Promise<Publisher> {
    signal.throwIfAborted();
    const { producers, last } = this.#broker;
    if (producers.has(producerName)) throw new Error(`two producers named ${producerName}`);
    if (producerName !== "") {
      producers.add(producerName);
      this.#own.add(producerName);
    }
    this.#broker.mostProducers = Math.max(this.#broker.mostProducers, producers.size);
    let closed = false;
    const unsettled = new Set<Promise<void>>();
    const close = async () => {
      closed = true;
      producers.delete(producerName);
    };
    return {
      lastSequenceIds: last.map((ofPartition) => ofPartition.get(producerName) ?? -1n),
      send: ({ value }, delivery, sequenceId = 0n) => {
        if (closed) throw new Error("sent after close");
        const settled = this.#store(producerName, new TextDecoder().decode(value), sequenceId, delivery);
        unsettled.add(settled);
        void settled.then(() => unsettled.delete(settled));
      },
      full: false,
      room: () => Promise.resolve(),
      flush: async () => void (await Promise.all(unsettled)),
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  /** The process is gone: its producers are free. */
  kill(): void {
    this.#left = 0;
    for (const name of this.#own) this.#broker.producers.delete(name);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #store(producer: string, text: string, sequenceId: bigint, delivery: Delivery): Promise<void> {
    if (this.#left <= 0) return await new Promise(() => undefined);
    this.#left -= 1;
    const { stored } = this.#broker;
    const partitions = this.#broker.last;
    const last = partitions[Number(sequenceId) % partitions.length] ?? new Map<string, bigint>();
    const isNew = sequenceId > (last.get(producer) ?? -1n);
    if (isNew) {
      stored.push(text);
      last.set(producer, sequenceId);
    }
    await Promise.resolve();
    delivery.stored(isNew ? storedAs : undefined);
  }
}
