import type { Clock, Logger, Meter } from "@pulsar-ts-io/core";
import { resolveAuthentication } from "./auth/authentication.ts";
import { ConnectionPool } from "./connection/connection-pool.ts";
import type { TlsOptions } from "./connection/dial.ts";
import { TopicLookup } from "./connection/lookup.ts";
import { formatServiceUrl, parseServiceUrl } from "./connection/service-url.ts";
import { PublisherClosedError } from "./errors.ts";
import { WirePublisher } from "./producer/wire-publisher.ts";
import type { Publisher, PublisherOptions, Transport } from "./publisher.ts";
import { parseTopicName } from "./topic-name.ts";

export type { TlsOptions } from "./connection/dial.ts";

export interface WireOptions {
  /** `pulsar://host:port` or `pulsar+ssl://host:port`, several hosts separated by commas. */
  readonly serviceUrl: string;
  /** Java's class name or its short name: none or token. Default none. */
  readonly authPlugin?: string | undefined;
  /** For token: `token:X`, `file:///path`, `env:NAME`, `{"token":"X"}`, or the token itself. */
  readonly authParams?: string | undefined;
  readonly tls: TlsOptions;
  /** Longest wait for the answer to a request, and for a first opening; default 30 000 ms. */
  readonly operationTimeoutMs?: number | undefined;
  /** Longest wait for a connection; default 10 000 ms. */
  readonly connectTimeoutMs?: number | undefined;
  /** Which of the brokers' advertised addresses to use; default the brokers' own. */
  readonly listenerName?: string | undefined;
}

/** What the transport uses of its host. */
export interface WireHost {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  /** Where `env:NAME` is looked up; default the process's. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

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
  readonly #operationTimeoutMs: number;
  readonly #pool: ConnectionPool;
  readonly #lookup: TopicLookup;
  readonly #logger: Logger;
  readonly #publishers = new Set<WirePublisher>();
  #nextProducerId = 0;
  #closed: Promise<void> | undefined;

  constructor(options: WireOptions, host: WireHost) {
    this.#host = host;
    const { clock, logger } = host;
    const serviceUrl = parseServiceUrl(options.serviceUrl);
    const authentication = resolveAuthentication({
      plugin: options.authPlugin,
      params: options.authParams,
      environment: host.environment ?? process.env,
    });
    const { operationTimeoutMs = 30_000, connectTimeoutMs = 10_000, tls } = options;
    this.#operationTimeoutMs = operationTimeoutMs;
    this.#logger = logger.child({ component: "pulsar", serviceUrl: formatServiceUrl(serviceUrl) });
    this.#pool = new ConnectionPool({
      serviceUrl,
      tls,
      authentication,
      clock,
      logger: this.#logger,
      connectTimeoutMs,
      operationTimeoutMs,
    });
    this.#lookup = new TopicLookup(this.#pool, options.listenerName);
  }

  async open(topic: string, options: PublisherOptions, signal: AbortSignal): Promise<Publisher> {
    signal.throwIfAborted();
    if (this.#closed !== undefined) throw new PublisherClosedError("the transport is closed");
    const { clock, meter } = this.#host;
    const publisher = new WirePublisher(
      { pool: this.#pool, lookup: this.#lookup, clock, logger: this.#logger },
      {
        topic: parseTopicName(topic),
        publisher: options,
        operationTimeoutMs: this.#operationTimeoutMs,
        meter,
        nextProducerId: () => this.#nextProducerId++,
      },
    );
    this.#publishers.add(publisher);
    try {
      await publisher.open(signal);
    } catch (error) {
      this.#publishers.delete(publisher);
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
    await this.#pool.close();
  }
}
