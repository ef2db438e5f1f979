import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Child } from "./child.ts";
import { freePorts } from "./free-ports.ts";
import { openPulsarRuntime } from "./open-pulsar-runtime.ts";
import { pulsarVersion } from "./pulsar-jars.ts";
import type { PulsarRuntime } from "./pulsar-runtime.ts";
import {
  listenerSettings,
  type PulsarSettings,
  settingsFile,
  standaloneSettings,
  tokenSettings,
} from "./pulsar-settings.ts";
import { makeBrokerCertificate } from "./pulsar-tls.ts";
import { mintToken, newTokenSecret } from "./pulsar-token.ts";
import { resolveStackOptions, type StackOptions } from "./stack-options.ts";
import { waitUntilReady } from "./wait-until-ready.ts";
import { openWorkFolder, type WorkFolder } from "./work-folder.ts";

export interface PulsarOptions extends StackOptions {
  /** Default `$PULSAR_TS_IO_PULSAR_VERSION`, else 4.0.7. */
  readonly version?: string | undefined;
  /** Largest heap, MiB; default 512. */
  readonly heapMb?: number | undefined;
  /** Demands a token of every client; {@link LocalPulsar.token} is the administrator's. Default false. */
  readonly token?: boolean | undefined;
  /** Listens for TLS as well, with a self-signed certificate; needs Java. Default false. */
  readonly tls?: boolean | undefined;
  /** Largest message the broker takes, bytes; default 5 MiB, as Pulsar's. */
  readonly maxMessageSize?: number | undefined;
  /** Deduplication for every namespace; default false. */
  readonly deduplication?: boolean | undefined;
  /** Ports of this machine, in front of the broker's own, that it names to clients of that listener; not with TLS. */
  readonly listeners?: Readonly<Record<string, number>> | undefined;
  /** Any other settings of `standalone.conf`; they outrank ours. */
  readonly settings?: PulsarSettings | undefined;
}

/** A real Pulsar broker on this machine, with `public/default` ready. */
export interface LocalPulsar extends AsyncDisposable {
  /** `pulsar://127.0.0.1:…` */
  readonly serviceUrl: string;
  /** `pulsar+ssl://127.0.0.1:…`, when it listens for TLS. */
  readonly tlsServiceUrl: string | undefined;
  /** PEM file of what a client has to trust then. */
  readonly tlsTrustCertsFile: string | undefined;
  /** `http://127.0.0.1:…` */
  readonly adminUrl: string;
  /** The administrator's token, when tokens are demanded. */
  readonly token: string | undefined;
  /** A token for another role: it is authenticated, and may do what it was granted. @param expiresAt milliseconds since the epoch. */
  tokenFor(role: string, expiresAt?: number): string;
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  /** SIGKILL; ports and data are kept. */
  kill(): Promise<void>;
  /** Ends the broker if it runs, and starts it on the same ports and data; resolves when it is ready. */
  restart(): Promise<void>;
  /** Ends it and removes its data. Idempotent. */
  stop(): Promise<void>;
}

const startMs = 180_000;

/**
 * Starts a standalone Pulsar broker with one bookie: 10 to 30 seconds, 400 to 700 MB of memory.
 *
 * With Java 17 its jars come from Maven Central, once; without it, or without Maven, it runs in Docker.
 *
 * @throws StackPartMissingError, StackFetchError, StackStartError
 */
export async function startPulsar(options: PulsarOptions = {}): Promise<LocalPulsar> {
  const resolved = resolveStackOptions(options);
  const folder = await openWorkFolder("pulsar");
  try {
    const { version = requestedVersion(resolved.env), heapMb = 512 } = options;
    const configFile = join(folder.path, "standalone.conf");
    const ports = await freePorts(3);
    const runtime = await openPulsarRuntime(
      { version, folder: folder.path, configFile, ports, heapMb },
      resolved,
    );
    const [brokerPort = 0, adminPort = 0, tlsPort = 0] = ports;
    const certificate =
      options.tls === true ? await makeBrokerCertificate(folder.path, tlsPort, resolved) : undefined;
    const secret = options.token === true ? newTokenSecret() : undefined;
    const settings = {
      ...standaloneSettings(brokerPort, adminPort, runtime.bindAddress),
      ...(secret === undefined ? {} : tokenSettings(secret)),
      ...certificate?.settings,
      ...(options.listeners === undefined ? {} : listenerSettings(brokerPort, options.listeners)),
      ...(options.maxMessageSize === undefined ? {} : { maxMessageSize: options.maxMessageSize }),
      ...(options.deduplication === undefined ? {} : { brokerDeduplicationEnabled: options.deduplication }),
      ...options.settings,
    };
    // World-readable, in a folder that is not: in a container another user reads it.
    await writeFile(configFile, settingsFile(settings), { mode: 0o644 });
    const facts = {
      brokerPort,
      adminPort,
      tlsPort,
      tlsTrustCertsFile: certificate?.certificateFile,
      secret,
      signal: resolved.signal,
    };
    const broker = new StandaloneBroker(runtime, folder, facts);
    resolved.report("starting the Pulsar broker: 10 to 30 seconds …");
    try {
      await broker.restart();
    } catch (error) {
      await broker.stop();
      throw error;
    }
    return broker;
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

/** A whole run of tests can be put on another release. */
function requestedVersion(env: NodeJS.ProcessEnv): string {
  const asked = env["PULSAR_TS_IO_PULSAR_VERSION"];
  return asked === undefined || asked === "" ? pulsarVersion : asked;
}

interface BrokerFacts {
  readonly brokerPort: number;
  readonly adminPort: number;
  readonly tlsPort: number;
  readonly tlsTrustCertsFile: string | undefined;
  readonly secret: Buffer | undefined;
  readonly signal: AbortSignal;
}

class StandaloneBroker implements LocalPulsar {
  readonly serviceUrl: string;
  readonly tlsServiceUrl: string | undefined;
  readonly tlsTrustCertsFile: string | undefined;
  readonly adminUrl: string;
  readonly token: string | undefined;
  readonly #runtime: PulsarRuntime;
  readonly #folder: WorkFolder;
  readonly #secret: Buffer;
  readonly #signal: AbortSignal;
  #child: Child | undefined;

  constructor(runtime: PulsarRuntime, folder: WorkFolder, facts: BrokerFacts) {
    this.#runtime = runtime;
    this.#folder = folder;
    this.#signal = facts.signal;
    this.#secret = facts.secret ?? newTokenSecret();
    this.token = facts.secret === undefined ? undefined : mintToken(facts.secret, "admin");
    this.serviceUrl = `pulsar://127.0.0.1:${facts.brokerPort}`;
    this.tlsTrustCertsFile = facts.tlsTrustCertsFile;
    this.tlsServiceUrl =
      facts.tlsTrustCertsFile === undefined ? undefined : `pulsar+ssl://127.0.0.1:${facts.tlsPort}`;
    this.adminUrl = `http://127.0.0.1:${facts.adminPort}`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  tokenFor(role: string, expiresAt?: number): string {
    return mintToken(this.#secret, role, expiresAt);
  }

  async kill(): Promise<void> {
    if (this.#child?.running === true) await this.#runtime.kill(this.#child);
  }

  async restart(): Promise<void> {
    await this.kill();
    this.#child = await this.#runtime.start();
    const wait = { title: "the Pulsar broker", withinMs: startMs, signal: this.#signal };
    await waitUntilReady(this.#child, () => this.#isReady(), wait);
  }

  async stop(): Promise<void> {
    // Its data goes with it, so there is nothing to end in order.
    await this.kill();
    await this.#runtime.remove();
    await this.#folder[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Ready = `public/default` exists, and a message of the broker's own went through. */
  async #isReady(): Promise<boolean> {
    const namespaces = await this.#ask("namespaces/public");
    return namespaces.includes("public/default") && (await this.#ask("brokers/health")) === "ok";
  }

  async #ask(path: string): Promise<string> {
    const response = await fetch(`${this.adminUrl}/admin/v2/${path}`, {
      headers: this.token === undefined ? {} : { authorization: `Bearer ${this.token}` },
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    return response.ok ? text : "";
  }
}
