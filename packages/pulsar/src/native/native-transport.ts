import { Backoff, type Clock, isRetryable, type Logger, type Meter, toError } from "@pulsar-ts-io/core";
import { proxiedFetch } from "../connection/proxy-connection.ts";
import { formatServiceUrl, parseServiceUrl } from "../connection/service-url.ts";
import { PublisherClosedError } from "../errors.ts";
import { defaultMemoryLimitBytes, MemoryLimit } from "../producer/memory-limit.ts";
import { ProducerMetrics } from "../producer/producer-metrics.ts";
import { retrying, warnOfEachCode } from "../producer/retrying.ts";
import type { Publisher, PublisherOptions, Transport } from "../publisher.ts";
import { parseTopicName, type TopicName } from "../topic-name.ts";
import { waitFor, withEither } from "../wait.ts";
import type { WireOptions } from "../wire-client.ts";
import { loadClient, type NativeModule } from "./load-client.ts";
import { nativeAuthentication } from "./native-authentication.ts";
import { clientConfig, producerConfig } from "./native-config.ts";
import { checkEncryption } from "./native-encryption.ts";
import { nativeError } from "./native-error.ts";
import { nativeLog } from "./native-log.ts";
import { type NativeProducer, NativePublisher } from "./native-publisher.ts";

/** What the transport uses of its host. */
export interface NativeHost {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  /** Where `env:NAME` is looked up; default the process's. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Imports `pulsar-client`; default from where this package is installed. */
  readonly load?: (() => Promise<unknown>) | undefined;
}

type NativeClient = InstanceType<NativeModule["Client"]>;

/**
 * A transport over the official package `pulsar-client`, which has to be installed. Connects when the first publisher is opened.
 *
 * @throws NativeClientMissingError (`PIO_NATIVE_CLIENT_MISSING`), InvalidServiceUrlError, UnsupportedAuthenticationError, InvalidAuthenticationError.
 */
export async function createNativeTransport(options: WireOptions, host: NativeHost): Promise<Transport> {
  const serviceUrl = formatServiceUrl(parseServiceUrl(options.serviceUrl));
  const logger = host.logger.child({ component: "pulsar", transport: "native", serviceUrl });
  const native = await loadClient(host.load ?? (() => import("pulsar-client")));
  const authentication = await nativeAuthentication(
    native,
    {
      plugin: options.authPlugin,
      params: options.authParams,
      environment: host.environment ?? process.env,
      clock: host.clock,
      fetch: proxiedFetch,
    },
    (error) => logger.warn({ err: toError(error) }, "credentials could not be refreshed"),
  );
  const config = clientConfig(options, authentication, serviceUrl);
  try {
    const client = new native.Client({ ...config, ...nativeLog(native, logger) });
    kept.push(client);
    return new NativeTransport(client, { ...host, logger }, options);
  } catch (error) {
    throw nativeError(error, `making a client for ${serviceUrl}`);
  }
}

/** The library logs through memory of the first client as long as the process lives; no client may be collected before its end. */
const kept: NativeClient[] = [];

const backoffMs = { initialMs: 100, maxMs: 5_000 };

class NativeTransport implements Transport {
  readonly #client: NativeClient;
  readonly #host: NativeHost;
  readonly #operationTimeoutMs: number;
  readonly #memory: MemoryLimit;
  readonly #publishers = new Set<NativePublisher>();
  readonly #stop = new AbortController();
  #closed: Promise<void> | undefined;

  constructor(client: NativeClient, host: NativeHost, options: WireOptions) {
    this.#client = client;
    this.#host = host;
    this.#operationTimeoutMs = options.operationTimeoutMs ?? 30_000;
    this.#memory = new MemoryLimit(options.memoryLimitBytes ?? defaultMemoryLimitBytes);
  }

  async open(topic: string, options: PublisherOptions, signal: AbortSignal): Promise<Publisher> {
    signal.throwIfAborted();
    if (this.#closed !== undefined) throw new PublisherClosedError("the transport is closed");
    const name = parseTopicName(topic);
    if (options.encryption !== undefined) await checkEncryption(options.encryption);
    const { clock, meter } = this.#host;
    const logger = this.#host.logger.child({ topic: name.full });
    const metrics = new ProducerMetrics(meter, name.full, options.producerName);
    const publisher = new NativePublisher(name, options, {
      clock,
      logger,
      metrics,
      memory: this.#memory,
      onClosed: () => this.#publishers.delete(publisher),
    });
    const config = producerConfig(name.full, options, (_, { numPartitions }) =>
      publisher.route(numPartitions),
    );
    publisher.attach(
      await withEither([signal, this.#stop.signal], (either) => this.#create(name, config, logger, either)),
    );
    this.#publishers.add(publisher);
    logger.info({ producerName: options.producerName }, "producer ready");
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
    this.#stop.abort(new PublisherClosedError("the transport is closed"));
    await Promise.all([...this.#publishers].map((publisher) => publisher.close()));
    try {
      await this.#client.close();
    } catch (error) {
      this.#host.logger.debug({ err: toError(error) }, "client not closed in order");
    }
  }

  /** Transient failures are tried again for the operation time-out; a name that is taken is one. */
  #create(
    topic: TopicName,
    config: Parameters<NativeClient["createProducer"]>[0],
    logger: Logger,
    signal: AbortSignal,
  ): Promise<NativeProducer> {
    const { clock } = this.#host;
    const deadline = clock.monotonic() + this.#operationTimeoutMs;
    const policy = {
      clock,
      backoff: new Backoff(backoffMs),
      onFailed: warnOfEachCode(logger, "producer not opened, trying again"),
      isFinal: (error: Error, pauseMs: number) =>
        !isRetryable(error) || clock.monotonic() + pauseMs >= deadline,
    };
    return retrying(policy, signal, async () => {
      const creating = this.#client.createProducer(config);
      try {
        return await waitFor(creating, signal);
      } catch (error) {
        // Nobody waits for it any more: should it come all the same, it must not keep its name.
        if (signal.aborted) closeLate(creating);
        throw signal.aborted ? error : nativeError(error, `opening ${topic.full}`);
      }
    });
  }
}

function closeLate(creating: Promise<NativeProducer>): void {
  creating.then((producer) => producer.close()).catch(() => undefined); // the transport's close ends it, too
}
