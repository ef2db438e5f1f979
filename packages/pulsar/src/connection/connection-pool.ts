import {
  type Clock,
  ConnectorError,
  type Counter,
  crowdedController,
  isRetryable,
  type Logger,
  type Meter,
  toError,
} from "@pulsar-ts-io/core";
import type { Authentication } from "../auth/authentication.ts";
import { BrokerLimitError, ConnectionLostError, PulsarUnreachableError } from "../errors.ts";
import { type BoundedSignal, waitFor, withDeadline } from "../wait.ts";
import { Connection } from "./connection.ts";
import type { Dial, DialTls, TlsOptions } from "./dial.ts";
import { type BrokerAddress, formatAddress, formatServiceUrl, type ServiceUrl } from "./service-url.ts";

/** Which broker to talk to, and where to connect for that: somewhere else when a proxy stands before it. */
export interface ConnectionTarget {
  readonly broker: BrokerAddress;
  readonly via: BrokerAddress;
}

/** A connection on which topics can be looked up, and where it leads. */
export interface ServiceConnection {
  readonly connection: Connection;
  readonly address: BrokerAddress;
}

export interface ConnectionPoolOptions {
  readonly serviceUrl: ServiceUrl;
  readonly tls: TlsOptions;
  readonly dial: Dial;
  readonly authentication: Authentication;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly connectTimeoutMs: number;
  readonly operationTimeoutMs: number;
}

/** The connections of one transport: one for each broker, made when first asked for. */
export class ConnectionPool {
  readonly #options: ConnectionPoolOptions;
  readonly #connections = new Map<string, Promise<Connection>>();
  readonly #stop = crowdedController();
  readonly #unknownCommands: Counter;
  /** Index of the service address that answered last. */
  #good: number;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
    this.#unknownCommands = options.meter.counter(
      "pulsar_ts_io_broker_unknown_commands_total",
      "Commands of brokers that are newer than this client, ignored",
    );
    // Many clients with one list of hosts shall not all begin with the same one.
    this.#good = Math.floor(Math.random() * options.serviceUrl.addresses.length);
  }

  /** Whether brokers are spoken to with TLS. */
  get tls(): boolean {
    return this.#options.serviceUrl.tls;
  }

  /** The connection to `target`, made when there is none. */
  async get(target: ConnectionTarget, signal: AbortSignal): Promise<Connection> {
    signal.throwIfAborted();
    this.#stop.signal.throwIfAborted();
    const key = `${formatAddress(target.broker)} via ${formatAddress(target.via)}`;
    let connection = this.#connections.get(key);
    if (connection === undefined) {
      connection = this.#open(target, () => this.#connections.delete(key));
      this.#connections.set(key, connection);
      connection.catch(() => this.#connections.delete(key));
    }
    return await waitFor(connection, signal);
  }

  /**
   * A connection to one of the addresses of the service URL, the one that answered last first.
   *
   * @throws what all of them failed with; PulsarUnreachableError (`PIO_PULSAR_UNREACHABLE`) names each.
   */
  async service(signal: AbortSignal): Promise<ServiceConnection> {
    const { addresses } = this.#options.serviceUrl;
    const failures: Error[] = [];
    for (let attempt = 0; attempt < addresses.length; attempt += 1) {
      const index = (this.#good + attempt) % addresses.length;
      const address = addresses[index];
      if (address === undefined) break;
      try {
        const connection = await this.get({ broker: address, via: address }, signal);
        this.#good = index;
        return { connection, address };
      } catch (error) {
        signal.throwIfAborted();
        failures.push(toError(error));
      }
    }
    throw this.#unreachable(failures);
  }

  /** Closes every connection. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort(new ConnectionLostError("the transport was closed"));
    const open = await Promise.allSettled(this.#connections.values());
    await Promise.all(open.map((one) => (one.status === "fulfilled" ? one.value.close() : undefined)));
  }

  async #open(target: ConnectionTarget, onEnd: () => void): Promise<Connection> {
    const { dial, clock, connectTimeoutMs: ms, authentication, operationTimeoutMs } = this.#options;
    const name = formatAddress(target.broker);
    const where = formatAddress(target.via);
    const error = () =>
      new PulsarUnreachableError(`no connection to ${where}: no answer in ${ms} ms`, {
        details: { address: where },
        remedy: "check the service URL, and that no firewall stands between",
      });
    const socket = await withDeadline({ clock, ms, error }, this.#stop.signal, async (signal) =>
      dial(target.via, await this.#tlsOptions(signal), signal),
    );
    const logger = this.#options.logger.child({ broker: name });
    const proxyToBroker = name === where ? undefined : name;
    const unknownCommands = this.#unknownCommands;
    const options = {
      name,
      authentication,
      proxyToBroker,
      clock,
      logger,
      operationTimeoutMs,
      unknownCommands,
    };
    const connection = new Connection(socket, options);
    try {
      await connection.handshake(this.#stop.signal);
    } catch (reason) {
      await connection.close();
      throw reason;
    }
    logger.info(proxyToBroker === undefined ? {} : { proxy: where }, "connected to broker");
    connection.ended.promise.then((reason) => {
      onEnd();
      if (!this.#stop.signal.aborted) logger.warn({ err: reason }, "connection to broker lost");
    }, onEnd);
    return connection;
  }

  async #tlsOptions(signal: BoundedSignal): Promise<DialTls | undefined> {
    if (!this.tls) return undefined;
    return { ...this.#options.tls, identity: await this.#options.authentication.tlsIdentity?.(signal) };
  }

  #unreachable(failures: readonly Error[]): Error {
    const final = failures.find((failure) => !isRetryable(failure));
    const [only] = failures;
    if (final !== undefined) return final;
    if (only instanceof ConnectorError && failures.length === 1) return only;
    const { serviceUrl } = this.#options;
    const text = `none of the hosts of ${formatServiceUrl(serviceUrl)} could be connected to: ${failures.map((failure) => failure.message).join("; ")}`;
    const limit = failures.find((failure) => failure instanceof BrokerLimitError);
    // A host at its limit is there, and lets others in when a connection is closed: that is what to wait for.
    if (limit !== undefined) return new BrokerLimitError(text, { cause: limit, details: limit.details });
    return new PulsarUnreachableError(text, {
      cause: only,
      remedy: "check the service URL, and that the brokers run and can be reached from here",
    });
  }
}
