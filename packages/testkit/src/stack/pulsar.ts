import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Child } from "./child.ts";
import { freePorts } from "./free-ports.ts";
import { findJava } from "./java.ts";
import { pulsarJars, pulsarVersion } from "./pulsar-jars.ts";
import { startPulsarJava } from "./pulsar-java.ts";
import { type PulsarSettings, settingsFile, standaloneSettings } from "./pulsar-settings.ts";
import { mintToken, newTokenSecret } from "./pulsar-token.ts";
import { resolveStackOptions, type StackOptions } from "./stack-options.ts";
import { waitUntilReady } from "./wait-until-ready.ts";
import { openWorkFolder } from "./work-folder.ts";

export interface PulsarOptions extends StackOptions {
  /** Default 4.0.7. */
  readonly version?: string | undefined;
  /** Largest heap, MiB; default 512. */
  readonly heapMb?: number | undefined;
  /** Demands a token of every client; {@link LocalPulsar.token} is the administrator's. Default false. */
  readonly token?: boolean | undefined;
  /** Largest message the broker takes, bytes; default 5 MiB, as Pulsar's. */
  readonly maxMessageSize?: number | undefined;
  /** Deduplication for every namespace; default false. */
  readonly deduplication?: boolean | undefined;
  /** Any other settings of `standalone.conf`; they outrank ours. */
  readonly settings?: PulsarSettings | undefined;
}

/** A real Pulsar broker on this machine, with `public/default` ready. */
export interface LocalPulsar extends AsyncDisposable {
  /** `pulsar://127.0.0.1:…` */
  readonly serviceUrl: string;
  /** `http://127.0.0.1:…` */
  readonly adminUrl: string;
  /** The administrator's token, when tokens are demanded. */
  readonly token: string | undefined;
  /** A token for another role: it is authenticated, and may do what it was granted. */
  tokenFor(role: string): string;
  /** Of the process that runs now. */
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
 * Its jars come from Maven Central, once. Needs Java 17, and Maven for the first time.
 *
 * @throws StackPartMissingError, StackFetchError, StackStartError
 */
export async function startPulsar(options: PulsarOptions = {}): Promise<LocalPulsar> {
  const resolved = resolveStackOptions(options);
  const { report, signal, env } = resolved;
  const java = await findJava(resolved);
  const jars = await pulsarJars(options.version ?? pulsarVersion, resolved);
  const folder = await openWorkFolder("pulsar");
  const [brokerPort = 0, adminPort = 0] = await freePorts(2);
  const secret = options.token === true ? newTokenSecret() : undefined;
  const token = secret === undefined ? undefined : mintToken(secret, "admin");
  const settings = {
    ...standaloneSettings(brokerPort, adminPort, "127.0.0.1"),
    ...(secret === undefined ? {} : tokenSettings(secret)),
    ...(options.maxMessageSize === undefined ? {} : { maxMessageSize: options.maxMessageSize }),
    ...(options.deduplication === undefined ? {} : { brokerDeduplicationEnabled: options.deduplication }),
    ...options.settings,
  };
  const configFile = join(folder.path, "standalone.conf");
  await writeFile(configFile, settingsFile(settings), { mode: 0o600 });
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  const start = async (): Promise<Child> => {
    const heapMb = options.heapMb ?? 512;
    const child = await startPulsarJava({ java, jars, configFile, folder: folder.path, heapMb, env });
    try {
      await waitUntilReady(child, () => isReady(adminUrl, token), {
        title: "the Pulsar broker",
        withinMs: startMs,
        signal,
      });
      return child;
    } catch (error) {
      await child.kill();
      throw error;
    }
  };
  report("starting the Pulsar broker: 10 to 30 seconds …");
  let child: Child;
  try {
    child = await start();
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
  const stop = async () => {
    // Its data goes with it, so there is nothing to end in order.
    await child.kill();
    await folder[Symbol.asyncDispose]();
  };
  return {
    serviceUrl: `pulsar://127.0.0.1:${brokerPort}`,
    adminUrl,
    token,
    tokenFor: (role) => mintToken(secret ?? newTokenSecret(), role),
    get pid() {
      return child.pid;
    },
    kill: () => child.kill(),
    restart: async () => {
      await child.kill();
      child = await start();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function tokenSettings(secret: Buffer): PulsarSettings {
  return {
    authenticationEnabled: true,
    authorizationEnabled: true,
    authenticationProviders: "org.apache.pulsar.broker.authentication.AuthenticationProviderToken",
    tokenSecretKey: `data:;base64,${secret.toString("base64")}`,
    superUserRoles: "admin",
    brokerClientAuthenticationPlugin: "org.apache.pulsar.client.impl.auth.AuthenticationToken",
    brokerClientAuthenticationParameters: `token:${mintToken(secret, "admin")}`,
  };
}

/** Ready = `public/default` exists, and a message of the broker's own went through. */
async function isReady(adminUrl: string, token: string | undefined): Promise<boolean> {
  const ask = async (path: string) => {
    const response = await fetch(`${adminUrl}/admin/v2/${path}`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    return response.ok ? text : "";
  };
  return (
    (await ask("namespaces/public")).includes("public/default") && (await ask("brokers/health")) === "ok"
  );
}
