import { isRetryable } from "@pulsar-ts-io/core";
import { resolveCompression } from "./compression.ts";
import { PublisherClosedError, UnsupportedOptionError } from "./errors.ts";
import { defaultMemoryLimitBytes, MemoryLimit } from "./producer/memory-limit.ts";
import { PublishingTrouble } from "./producer/publishing-trouble.ts";
import { TopicLog } from "./producer/topic-log.ts";
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
  /** By the full names of topics that have publishers. */
  readonly #logs = new Map<string, TopicLog>();
  readonly #trouble: PublishingTrouble;
  readonly #stop = new AbortController();
  #watching: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: WireOptions, host: WireHost) {
    this.#host = host;
    this.#client = new WireClient(options, host);
    this.#trouble = new PublishingTrouble(host.troubles, host.clock);
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
    const name = parseTopicName(topic);
    const key = `${name.full} ${options.producerName ?? ""}`;
    this.#trouble.opening(key);
    this.#watching ??= this.#trouble.run(this.#stop.signal).catch(() => undefined); // ends by the signal alone
    const publisher = new WirePublisher(
      { pool, lookup, clock, logger },
      {
        topic: name,
        publisher: options,
        codec,
        operationTimeoutMs,
        reachMs,
        meter,
        memory: this.#memory,
        log: this.#logOf(name.full),
        trouble: this.#trouble,
        key,
        nextProducerId: () => client.nextId(),
        onClosed: () => {
          this.#publishers.delete(publisher);
          if (![...this.#publishers].some((other) => other.topic === name.full)) this.#logs.delete(name.full);
        },
      },
    );
    this.#publishers.add(publisher);
    try {
      await publisher.open(signal);
    } catch (error) {
      await publisher.close();
      // Who opens it may try again: until then it stays trouble.
      if (signal.aborted || !isRetryable(error)) this.#trouble.notOpened(key);
      else this.#trouble.failed(key, error);
      throw error;
    }
    this.#trouble.opened(key);
    return publisher;
  }

  #logOf(topic: string): TopicLog {
    let log = this.#logs.get(topic);
    if (log === undefined) {
      log = new TopicLog(this.#client.logger.child({ topic }));
      this.#logs.set(topic, log);
    }
    return log;
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
    this.#stop.abort(new PublisherClosedError("the transport is closed"));
    await this.#watching;
  }
}

function noEncryption(): UnsupportedOptionError {
  return new UnsupportedOptionError("the wire transport has no end-to-end encryption", {
    details: { option: "encryption" },
    remedy: "leave encryption out, or use the native transport, which is the official client",
  });
}
