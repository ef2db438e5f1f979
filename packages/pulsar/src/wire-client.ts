import type { Clock, Logger, Meter, Troubles } from "@pulsar-ts-io/core";
import { resolveAuthentication } from "./auth/resolve-authentication.ts";
import { ConnectionPool } from "./connection/connection-pool.ts";
import { type Dial, dial, type TlsOptions } from "./connection/dial.ts";
import { TopicLookup } from "./connection/lookup.ts";
import { proxiedFetch } from "./connection/proxy-connection.ts";
import { formatServiceUrl, parseServiceUrl, type ServiceUrl } from "./connection/service-url.ts";
import { InvalidAuthenticationError } from "./errors.ts";

/** Longest wait for the answer to one request. A request that was lost on the way is repeated soon. */
const maxRequestMs = 10_000;

export interface WireOptions {
  /** `pulsar://host:port` or `pulsar+ssl://host:port`, several hosts separated by commas. */
  readonly serviceUrl: string;
  /** Java's class name or its short name: none, token, basic, tls or oauth2. Default none. */
  readonly authPlugin?: string | undefined;
  /** The texts that Java's plugin of that name takes; `env:NAME` and `file:///path` in place of any secret. */
  readonly authParams?: string | undefined;
  readonly tls: TlsOptions;
  /** Longest wait for a first opening, and at most for the answer to a request, which has 10 s; default 30 000 ms. */
  readonly operationTimeoutMs?: number | undefined;
  /** Longest wait for a connection, and of a first opening for any broker that answers; default 10 000 ms. */
  readonly connectTimeoutMs?: number | undefined;
  /** Unconfirmed bytes that all publishers may have together; 0: no limit. Default 64 MiB, as Java's client has. */
  readonly memoryLimitBytes?: number | undefined;
  /** Which of the brokers' advertised addresses to use; default the brokers' own. */
  readonly listenerName?: string | undefined;
}

/** What the transport uses of its host. */
export interface WireHost {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  /** Where failures that are retried are reported; default nowhere. */
  readonly troubles?: Troubles | undefined;
  /** Where `env:NAME` is looked up; default the process's. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Asks the issuer of access tokens; default the process's, through the proxy that the environment names. */
  readonly fetch?: typeof fetch | undefined;
  /** Opens connections; default TCP and TLS. */
  readonly dial?: Dial | undefined;
}

/** The connections to one cluster, and the way to its topics. On the package's door for readers in tests. */
export class WireClient {
  readonly pool: ConnectionPool;
  readonly lookup: TopicLookup;
  readonly logger: Logger;
  readonly operationTimeoutMs: number;
  readonly connectTimeoutMs: number;
  #nextId = 0;

  /** Connects to nothing yet. @throws InvalidServiceUrlError, UnsupportedAuthenticationError, InvalidAuthenticationError. */
  constructor(options: WireOptions, host: WireHost) {
    const { operationTimeoutMs = 30_000, connectTimeoutMs = 10_000, tls } = options;
    const serviceUrl = parseServiceUrl(options.serviceUrl);
    const authentication = resolveAuthentication({
      plugin: options.authPlugin,
      params: options.authParams,
      environment: host.environment ?? process.env,
      clock: host.clock,
      fetch: host.fetch ?? proxiedFetch,
    });
    if (authentication.tlsIdentity !== undefined && !serviceUrl.tls) throw certificateUnused(serviceUrl);
    this.operationTimeoutMs = operationTimeoutMs;
    this.connectTimeoutMs = connectTimeoutMs;
    this.logger = host.logger.child({ component: "pulsar", serviceUrl: formatServiceUrl(serviceUrl) });
    this.pool = new ConnectionPool({
      serviceUrl,
      tls,
      dial: host.dial ?? dial,
      authentication,
      clock: host.clock,
      logger: this.logger,
      meter: host.meter,
      connectTimeoutMs,
      operationTimeoutMs: Math.min(operationTimeoutMs, maxRequestMs),
    });
    this.lookup = new TopicLookup(this.pool, options.listenerName);
  }

  /** An id that no other producer or consumer of this client has. */
  nextId(): number {
    const id = this.#nextId;
    this.#nextId += 1;
    return id;
  }

  /** Closes every connection. Idempotent. */
  close(): Promise<void> {
    return this.pool.close();
  }
}

function certificateUnused(serviceUrl: ServiceUrl): InvalidAuthenticationError {
  return new InvalidAuthenticationError(
    `the authentication plugin tls shows a certificate, and ${formatServiceUrl(serviceUrl)} is no TLS address`,
    { remedy: "use the broker's TLS address, pulsar+ssl://host:6651, or --use-tls" },
  );
}
