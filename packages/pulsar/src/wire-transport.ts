import { resolveCompression } from "./compression.ts";
import { PublisherClosedError, UnsupportedOptionError } from "./errors.ts";
import { defaultMemoryLimitBytes, MemoryLimit } from "./producer/memory-limit.ts";
import { WirePublisher } from "./producer/wire-publisher.ts";
import type { Publisher, PublisherOptions, Transport } from "./publisher.ts";
import { parseTopicName } from "./topic-name.ts";
import { WireClient, type WireHost, type WireOptions } from "./wire-client.ts";

/**
 * A transport over Pulsar's binary protocol. Connects when the first publisher is opened.
 *
 * @throws InvalidServiceUrlError, UnsupportedAuthenticationError, InvalidAuthenticationError.
 */
export function createWireTransport(options: WireOptions, host: WireHost): Transport {
  return new WireTransport(options, host);
}

class WireTransport implements Transport {
  readonly #host: WireHost;
  readonly #client: WireClient;
  readonly #memory: MemoryLimit;
  readonly #publishers = new Set<WirePublisher>();
  #closed: Promise<void> | undefined;

  constructor(options: WireOptions, host: WireHost) {
    this.#host = host;
    this.#client = new WireClient(options, host);
    this.#memory = new MemoryLimit(options.memoryLimitBytes ?? defaultMemoryLimitBytes);
  }

  async open(topic: string, options: PublisherOptions, signal: AbortSignal): Promise<Publisher> {
    if (options.encryption !== undefined) throw noEncryption();
    const client = this.#client;
    const { pool, lookup, logger, operationTimeoutMs, connectTimeoutMs: reachMs } = client;
    const codec = await resolveCompression(options.compression);
    signal.throwIfAborted();
    if (this.#closed !== undefined) throw new PublisherClosedError("the transport is closed");
    const { clock, meter } = this.#host;
    const publisher = new WirePublisher(
      { pool, lookup, clock, logger },
      {
        topic: parseTopicName(topic),
        publisher: options,
        codec,
        operationTimeoutMs,
        reachMs,
        meter,
        memory: this.#memory,
        nextProducerId: () => client.nextId(),
        onClosed: () => this.#publishers.delete(publisher),
      },
    );
    this.#publishers.add(publisher);
    try {
      await publisher.open(signal);
    } catch (error) {
      await publisher.close();
      throw error;
    }
    return publisher;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#publishers].map((publisher) => publisher.close()));
    await this.#client.close();
  }
}

function noEncryption(): UnsupportedOptionError {
  return new UnsupportedOptionError("the wire transport has no end-to-end encryption", {
    details: { option: "encryption" },
    remedy: "leave encryption out, or use the native transport, which is the official client",
  });
}
