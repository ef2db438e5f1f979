import type { Clock } from "@pulsar-ts-io/core";
import type { BoundedFetch } from "../http-proxy.ts";
import type { Authentication } from "./authentication.ts";
import {
  invalidParameters,
  type Parameters,
  type ParametersForm,
  readParameters,
  requiredParameter,
} from "./parameters.ts";
import { secretReader } from "./secret-text.ts";
import { type AccessToken, type ClientCredentials, defaultRequestMs, TokenIssuer } from "./token-issuer.ts";

const form: ParametersForm = {
  plugin: "oauth2",
  remedy:
    'give them as {"issuerUrl":"https://…","privateKey":"file:///path/of/key.json","audience":"…","scope":"…"}',
};
const keyForm: ParametersForm = {
  plugin: "oauth2",
  remedy: 'the key file holds {"client_id":"…","client_secret":"…"}',
};
const grantType = "client_credentials";
/** A token is used for so much of its life: the broker must never see one that expires on the way. */
const usedShare = 0.9;
const maxRequestMs = 86_400_000;

export interface OAuth2Host {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly fetch: BoundedFetch;
}

/**
 * OAuth 2.0 client credentials: an access token of an issuer, renewed before it expires. On the wire it is a token.
 *
 * @throws InvalidAuthenticationError (`PIO_INVALID_AUTHENTICATION`)
 */
export function oauth2Authentication(params: string, host: OAuth2Host): Authentication {
  const parameters = readParameters(params, form);
  const { type = grantType } = parameters;
  if (type !== grantType) throw invalidParameters(`their type is not ${grantType}`, form);
  const issuerUrl = readUrl(requiredParameter(parameters, "issuerUrl", form));
  const readKey = keyReader(requiredParameter(parameters, "privateKey", form), host.environment);
  if (parameters["trustCertsFilePath"] !== undefined) throw trustElsewhere();
  const issuer = new TokenIssuer(issuerUrl, { ...host, requestMs: readRequestMs(parameters) });
  const wanted = { audience: parameters["audience"], scope: parameters["scope"] };
  let current: { readonly token: AccessToken; readonly renewAt: number } | undefined;
  return {
    method: "token",
    async credentials(signal) {
      if (current === undefined || host.clock.monotonic() >= current.renewAt) {
        const askedAt = host.clock.monotonic();
        const token = await issuer.token(readClient(await readKey()), wanted, signal);
        current = { token, renewAt: askedAt + token.expiresInMs * usedShare };
      }
      return Buffer.from(current.token.text);
    },
    forget() {
      current = undefined;
    },
  };
}

/** Java's defaults for connecting and for reading are 10 s and 30 s; without either, a request has 10 s in all. */
function readRequestMs(parameters: Parameters): number {
  const { connectTimeout, readTimeout } = parameters;
  if (connectTimeout === undefined && readTimeout === undefined) return defaultRequestMs;
  return (
    readDuration("connectTimeout", connectTimeout ?? "PT10S") +
    readDuration("readTimeout", readTimeout ?? "PT30S")
  );
}

/** An ISO 8601 duration of at most hours, in milliseconds. */
function readDuration(name: string, text: string): number {
  const match = /^PT(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?$/i.exec(text);
  const [, hours = "0", minutes = "0", seconds = "0"] = match ?? [];
  const ms = (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000;
  if (ms > 0 && ms <= maxRequestMs) return ms;
  throw invalidParameters(`${name} is no duration of at most a day, such as PT10S`, form);
}

function trustElsewhere(): Error {
  return invalidParameters("trustCertsFilePath cannot be given here", {
    plugin: form.plugin,
    remedy: "leave it out, and name that file in the environment variable NODE_EXTRA_CA_CERTS",
  });
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWeb = url?.protocol === "https:" || url?.protocol === "http:";
  if (url === undefined || !isWeb || url.username !== "" || url.password !== "") {
    throw invalidParameters("issuerUrl is no http(s) address without a user in it", form);
  }
  return url;
}

/** `file:`, `data:application/json;base64,…`, and our `env:`. */
function keyReader(
  privateKey: string,
  environment: Readonly<Record<string, string | undefined>>,
): () => Promise<string> {
  const reader = secretReader(privateKey, "the key file", environment);
  if (reader !== undefined) return reader;
  const [, base64, data = ""] = /^data:application\/json(;base64)?,([\s\S]*)$/.exec(privateKey) ?? [];
  if (data === "") {
    throw invalidParameters(
      "privateKey is neither file:///path, env:NAME nor data:application/json;base64,…",
      form,
    );
  }
  const text = base64 === undefined ? decodePercent(data) : Buffer.from(data, "base64").toString();
  return () => Promise.resolve(text.trim());
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidParameters("the data of privateKey is not percent-encoded", form);
  }
}

function readClient(key: string): ClientCredentials {
  const parameters: Parameters = readParameters(key, keyForm);
  return {
    id: requiredParameter(parameters, "client_id", keyForm),
    secret: requiredParameter(parameters, "client_secret", keyForm),
  };
}
