import { type Environment, readClientConf } from "./client-conf.ts";
import { UsageError } from "./usage-error.ts";

/** How to reach Pulsar. */
export interface BrokerSettings {
  readonly serviceUrl: string;
  /** Where Pulsar's admin API is; `undefined`: on the hosts of `serviceUrl`. */
  readonly webServiceUrl: string | undefined;
  readonly authPlugin: string | undefined;
  readonly authParams: string | undefined;
  /** Unconfirmed bytes of all publishers together; 0: no limit; absent: the transport's default. */
  readonly memoryLimitBytes: number | undefined;
  readonly tls: {
    readonly trustCertPath: string | undefined;
    readonly allowInsecure: boolean;
    readonly hostnameVerification: boolean;
  };
}

/** The flags about the broker, as given. */
export interface BrokerFlags {
  readonly brokerServiceUrl?: string | undefined;
  readonly webServiceUrl?: string | undefined;
  readonly clientAuthPlugin?: string | undefined;
  readonly clientAuthParams?: string | undefined;
  readonly useTls?: string | boolean | undefined;
  readonly tlsAllowInsecure?: string | boolean | undefined;
  readonly hostnameVerificationEnabled?: string | boolean | undefined;
  readonly tlsTrustCertPath?: string | undefined;
  readonly memoryLimitBytes?: number | undefined;
}

const defaultServiceUrl = "pulsar://localhost:6650";

/**
 * Resolves how to reach Pulsar: flags first, then `client.conf`, then `pulsar://localhost:6650`.
 *
 * An empty flag is no setting: that is how Java's worker passes on what it does not have.
 * The host name of a certificate is verified unless a flag or the file says otherwise; Java's default is not to.
 *
 * @throws UsageError (`PIO_USAGE`), and the errors of {@link readClientConf}.
 */
export async function resolveBrokerSettings(flags: BrokerFlags, env: Environment): Promise<BrokerSettings> {
  const conf = await readClientConf(env);
  const useTls = readBoolean("--use-tls", flags.useTls) ?? false;
  const given = (flag: string | undefined, key: string) => (flag === "" ? undefined : flag) ?? conf.get(key);
  const url = given(flags.brokerServiceUrl, "brokerServiceUrl") ?? defaultServiceUrl;
  const confBoolean = (key: string) => readBoolean(`${key} in client.conf`, conf.get(key));
  const serviceUrl = useTls ? url.replace(/^pulsar:/, "pulsar+ssl:") : url;
  const authPlugin = given(flags.clientAuthPlugin, "authPlugin");
  const authParams = given(flags.clientAuthParams, "authParams");
  if (authPlugin === undefined && (flags.clientAuthParams ?? "") !== "") throw pluginMissing();
  const shown =
    authPlugin === undefined && serviceUrl.startsWith("pulsar+ssl:") ? certificateOf(conf) : undefined;
  // A file's admin API is that of the file's brokers: that of others must not be asked about their topics.
  const confWebServiceUrl = url === conf.get("brokerServiceUrl") ? conf.get("webServiceUrl") : undefined;
  return {
    serviceUrl,
    webServiceUrl: (flags.webServiceUrl === "" ? undefined : flags.webServiceUrl) ?? confWebServiceUrl,
    authPlugin: shown === undefined ? authPlugin : "tls",
    authParams: shown ?? authParams,
    memoryLimitBytes: flags.memoryLimitBytes,
    tls: {
      trustCertPath: given(flags.tlsTrustCertPath, "tlsTrustCertsFilePath"),
      allowInsecure:
        readBoolean("--tls-allow-insecure", flags.tlsAllowInsecure) ??
        confBoolean("tlsAllowInsecureConnection") ??
        false,
      hostnameVerification:
        readBoolean("--hostname-verification-enabled", flags.hostnameVerificationEnabled) ??
        confBoolean("tlsEnableHostnameVerification") ??
        true,
    },
  };
}

/** Java would connect as nobody, without a word. */
function pluginMissing(): UsageError {
  return new UsageError("--client-auth-params is given without --client-auth-plugin", {
    remedy: "say what they are for, such as --client-auth-plugin token",
  });
}

/** Java shows the certificate of these two files to every TLS broker, beside any plugin; here it takes the plugin's place. */
function certificateOf(conf: ReadonlyMap<string, string>): string | undefined {
  const tlsCertFile = conf.get("tlsCertificateFilePath");
  const tlsKeyFile = conf.get("tlsKeyFilePath");
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return undefined;
  return JSON.stringify({ tlsCertFile, tlsKeyFile });
}

/** @throws UsageError (`PIO_USAGE`) naming the flag. */
export function readBoolean(name: string, value: string | boolean | undefined): boolean | undefined {
  if (value === undefined || value === "") return undefined;
  if (typeof value === "boolean") return value;
  if (value.toLowerCase() === "true") return true;
  if (value.toLowerCase() === "false") return false;
  throw new UsageError(`${name} must be true or false, got ${value}`, { remedy: "write true or false" });
}

/** Parameters that only say where the secret is. */
const pointer = /^(file:|env:|tls(Cert|Key)File:)/;

/** The texts of the authentication's parameters that nobody may see. */
export function secretsOfBroker({ authParams = "" }: BrokerSettings): readonly string[] {
  if (pointer.test(authParams)) return []; // where the secret is, which is no secret
  const texts = authParams.trimStart().startsWith("{")
    ? secretsInJson(authParams)
    : [authParams, authParams.replace(/^[^:]*:/, "")];
  return texts.filter((text) => !pointer.test(text));
}

function secretsInJson(json: string): readonly string[] {
  try {
    const params: unknown = JSON.parse(json);
    const entries = typeof params === "object" && params !== null ? Object.entries(params) : [];
    return entries.flatMap(([name, value]) =>
      /password|secret|token|key/i.test(name) && typeof value === "string" ? [value] : [],
    );
  } catch {
    return [json];
  }
}
