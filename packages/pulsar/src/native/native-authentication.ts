import {
  invalidParameters,
  type ParametersForm,
  readParameters,
  requiredParameter,
} from "../auth/parameters.ts";
import type { AuthenticationSettings } from "../auth/resolve-authentication.ts";
import { resolveAuthentication } from "../auth/resolve-authentication.ts";
import { PulsarTimeoutError, UnsupportedAuthenticationError } from "../errors.ts";
import { withDeadline } from "../wait.ts";
import type { NativeModule } from "./load-client.ts";

type NativeAuthentication = NonNullable<ConstructorParameters<NativeModule["Client"]>[0]["authentication"]>;

const javaPackage = "org.apache.pulsar.client.impl.auth.";
const plugins = ["token", "tls", "basic", "oauth2", "athenz", "none"];

/** Told of a token that cannot be had at the moment: the broker is given none, and refuses. */
export type OnTokenFailure = (error: unknown) => void;

/**
 * The authentication that Java's plugin name and parameters stand for, as an object of `pulsar-client`; `undefined` for none.
 *
 * @throws UnsupportedAuthenticationError (`PIO_UNSUPPORTED_AUTHENTICATION`), InvalidAuthenticationError (`PIO_INVALID_AUTHENTICATION`).
 */
export async function nativeAuthentication(
  native: NativeModule,
  settings: AuthenticationSettings,
  onTokenFailure: OnTokenFailure,
): Promise<NativeAuthentication | undefined> {
  const plugin = settings.plugin?.trim() ?? "";
  const params = settings.params?.trim() ?? "";
  switch (shortName(plugin)) {
    case "none":
      return undefined;
    case "token":
      return new native.AuthenticationToken({ token: await tokenOf(settings, params, onTokenFailure) });
    case "tls": {
      const parameters = readParameters(params, tlsForm, true);
      return new native.AuthenticationTls({
        certificatePath: requiredParameter(parameters, "tlsCertFile", tlsForm),
        privateKeyPath: requiredParameter(parameters, "tlsKeyFile", tlsForm),
      });
    }
    case "basic": {
      const parameters = readParameters(params, basicForm);
      return new native.AuthenticationBasic({
        username: requiredParameter(parameters, "userId", basicForm),
        password: requiredParameter(parameters, "password", basicForm),
      });
    }
    case "oauth2":
      return oauth2(native, params);
    case "athenz":
      return athenz(native, params);
    default:
      throw unsupported(plugin);
  }
}

function shortName(plugin: string): string {
  const name = plugin.startsWith(javaPackage) ? plugin.slice(javaPackage.length) : plugin;
  if (name === "" || name === "AuthenticationDisabled") return "none";
  if (name === "oauth2.AuthenticationOAuth2") return "oauth2";
  return (
    /^Authentication(?<name>Token|Tls|Basic|Athenz)$/.exec(name)?.groups?.["name"]?.toLowerCase() ?? name
  );
}

/** Longest wait for a token. */
const tokenMs = 30_000;

type Token = string | (() => Promise<string>);

/** A token that may change is asked for at each connect; one that cannot is handed over as it is. */
async function tokenOf(
  settings: AuthenticationSettings,
  params: string,
  onTokenFailure: OnTokenFailure,
): Promise<Token> {
  const authentication = resolveAuthentication(settings);
  const { signal } = new AbortController();
  const error = () =>
    new PulsarTimeoutError(`the token was not there in ${tokenMs} ms`, {
      remedy: "check the file or the token issuer that the authentication parameters name",
    });
  const read = async () => {
    const deadline = { clock: settings.clock, ms: tokenMs, error };
    const token = await withDeadline(deadline, signal, (bounded) => authentication.credentials(bounded));
    return Buffer.from(token).toString();
  };
  const token = await read();
  if (!/^(file|env):/.test(params)) return token;
  // The binding waits for the promise on a thread of its own, for ever when it is rejected.
  return () =>
    read().catch((error: unknown) => {
      onTokenFailure(error);
      return "";
    });
}

const tlsForm: ParametersForm = {
  plugin: "tls",
  remedy:
    'give the PEM files as tlsCertFile:/path,tlsKeyFile:/path or {"tlsCertFile":"/path","tlsKeyFile":"/path"}',
};
const basicForm: ParametersForm = { plugin: "basic", remedy: 'give them as {"userId":"…","password":"…"}' };
const oauth2Form: ParametersForm = {
  plugin: "oauth2",
  remedy:
    'give them as {"issuerUrl":"https://…","privateKey":"file:///path/of/key.json","audience":"…","scope":"…"}',
};
const athenzForm: ParametersForm = {
  plugin: "athenz",
  remedy:
    'give them as {"tenantDomain":"…","tenantService":"…","providerDomain":"…","privateKey":"file:///path","ztsUrl":"https://…"}',
};

/** Java's names on our side, libpulsar's on the other. */
function oauth2(native: NativeModule, params: string): NativeAuthentication {
  const parameters = readParameters(params, oauth2Form);
  const key = requiredParameter(parameters, "privateKey", oauth2Form);
  if (!/^(file:|data:application\/json;base64,)/.test(key)) {
    throw invalidParameters(
      "privateKey is neither file:///path nor data:application/json;base64,…",
      oauth2Form,
    );
  }
  const { audience, scope, type = "client_credentials" } = parameters;
  return new native.AuthenticationOauth2({
    type,
    issuer_url: requiredParameter(parameters, "issuerUrl", oauth2Form),
    private_key: key,
    ...(audience === undefined ? {} : { audience }),
    ...(scope === undefined ? {} : { scope }),
  });
}

function athenz(native: NativeModule, params: string): NativeAuthentication {
  const parameters = readParameters(params, athenzForm);
  const own = parameters["x509CertChain"] === undefined ? ["tenantDomain", "tenantService"] : [];
  for (const name of ["providerDomain", "privateKey", "ztsUrl", ...own]) {
    requiredParameter(parameters, name, athenzForm);
  }
  return new native.AuthenticationAthenz(JSON.stringify(parameters));
}

function unsupported(plugin: string): UnsupportedAuthenticationError {
  // Somebody may have given the token where its plugin belongs.
  const shown = /^(?!eyJ)[\w.$]{1,120}$/.test(plugin) ? plugin : "that was given";
  const kerberos = /sasl|kerberos/i.test(shown);
  return new UnsupportedAuthenticationError(`the native transport has no authentication plugin ${shown}`, {
    details: { plugin: shown },
    remedy: kerberos
      ? "authenticate in another way: pulsar-client for Node has no Kerberos"
      : `set --client-auth-plugin to Java's class name, or to one of: ${plugins.join(", ")}`,
  });
}
