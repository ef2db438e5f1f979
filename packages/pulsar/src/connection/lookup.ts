import { BrokerRefusedError, ProtocolError } from "../errors.ts";
import type { Commands } from "../wire/command-types.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionPool, ConnectionTarget, ServiceConnection } from "./connection-pool.ts";
import { brokerError } from "./server-error.ts";
import { type BrokerAddress, parseServiceUrl } from "./service-url.ts";

/** Java's own limit. */
const maxRedirects = 20;
const lookupType = { redirect: 0, connect: 1 };
const metadataSuccess = 0;
/** What an answer without an error code means. */
const unknownError = 0;

/** Finds the broker that serves a topic, and how many partitions a topic has. */
export class TopicLookup {
  readonly #pool: ConnectionPool;
  readonly #listenerName: string | undefined;

  /** @param listenerName which of the brokers' advertised addresses to use; absent: the broker's default. */
  constructor(pool: ConnectionPool, listenerName: string | undefined) {
    this.#pool = pool;
    this.#listenerName = listenerName;
  }

  /**
   * The broker that serves `topic`.
   *
   * @param cluster who is asked: a broker of another cluster, which the topic has migrated to; absent: the service URL.
   * @throws what the broker refused the lookup with, or why it could not be asked.
   */
  async broker(
    topic: string,
    signal: AbortSignal,
    cluster?: BrokerAddress | undefined,
  ): Promise<ConnectionTarget> {
    let authoritative = false;
    let asked =
      cluster === undefined ? await this.#pool.service(signal) : await this.#direct(cluster, signal);
    for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
      const answer = await this.#ask(asked.connection, topic, authoritative, signal);
      const broker = this.addressFor(topic, answer.brokerServiceUrl, answer.brokerServiceUrlTls);
      if (answer.response === lookupType.connect) {
        return { broker, via: answer.proxyThroughServiceUrl === true ? asked.address : broker };
      }
      authoritative = answer.authoritative ?? false;
      asked = await this.#direct(broker, signal);
    }
    throw new BrokerRefusedError(
      `the lookup of ${topic} was redirected more than ${maxRedirects} times`,
      true,
      {
        remedy: "check that the brokers agree on who serves the topic",
      },
    );
  }

  /**
   * Partitions of `topic`; 0 when it is not partitioned.
   *
   * @param autoCreate whether the broker may create the topic for that, as it is configured to.
   */
  async partitions(topic: string, autoCreate: boolean, signal: AbortSignal): Promise<number> {
    const { connection } = await this.#pool.service(signal);
    const what = `topic ${topic}`;
    const answer = await connection.request("partitionedMetadata", { topic, autoCreate }, what, signal);
    if (answer.response !== metadataSuccess) {
      throw brokerError({ error: answer.error ?? unknownError, message: answer.message ?? "" }, what);
    }
    return answer.partitions ?? 0;
  }

  /** The one of two broker URLs that fits how we connect; `undefined` when there is none, or none that can be read. */
  address(plainUrl: string | undefined, tlsUrl: string | undefined): BrokerAddress | undefined {
    const url = (this.#pool.tls ? tlsUrl : plainUrl) ?? "";
    return url === "" ? undefined : addressOf(url);
  }

  /** As {@link address}. @throws ProtocolError when there is none. */
  addressFor(topic: string, plainUrl: string | undefined, tlsUrl: string | undefined): BrokerAddress {
    const address = this.address(plainUrl, tlsUrl);
    if (address !== undefined) return address;
    const { tls } = this.#pool;
    const url = (tls ? tlsUrl : plainUrl) ?? "";
    const named = url === "" ? `no broker to connect to${tls ? " with TLS" : ""}` : `a broker at "${url}"`;
    throw new ProtocolError(`the lookup of ${topic} named ${named}`, {
      remedy: tls
        ? "let the brokers advertise a TLS address, or connect with pulsar://"
        : "let the brokers advertise a plain address, or connect with pulsar+ssl://",
    });
  }

  async #direct(address: BrokerAddress, signal: AbortSignal): Promise<ServiceConnection> {
    return { connection: await this.#pool.get({ broker: address, via: address }, signal), address };
  }

  async #ask(
    connection: Connection,
    topic: string,
    authoritative: boolean,
    signal: AbortSignal,
  ): Promise<Commands["lookupResponse"]> {
    const what = `the lookup of ${topic}`;
    const fields = { topic, authoritative, listenerName: this.#listenerName };
    const answer = await connection.request("lookup", fields, what, signal);
    if (answer.response === lookupType.redirect || answer.response === lookupType.connect) return answer;
    throw brokerError({ error: answer.error ?? unknownError, message: answer.message ?? "" }, what);
  }
}

/** `undefined` for what is no service URL: it is the broker's word, and no mistake in the settings. */
function addressOf(url: string): BrokerAddress | undefined {
  try {
    return parseServiceUrl(url).addresses[0];
  } catch {
    return undefined;
  }
}
