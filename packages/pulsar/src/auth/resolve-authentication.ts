import type { Clock } from "@pulsar-ts-io/core";
import { UnsupportedAuthenticationError } from "../errors.ts";
import type { BoundedFetch } from "../http-proxy.ts";
import type { Authentication } from "./authentication.ts";
import { basicAuthentication } from "./basic.ts";
import { oauth2Authentication } from "./oauth2.ts";
import { tlsAuthentication } from "./tls.ts";
import { tokenAuthentication } from "./token.ts";

export interface AuthenticationSettings {
  /** Java's class name or a short name; absent: none. */
  readonly plugin?: string | undefined;
  /** The texts that Java's plugin of that name takes. */
  readonly params?: string | undefined;
  /** For `env:NAME`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Asks the issuer of access tokens. */
  readonly fetch: BoundedFetch;
}

const javaPackage = "org.apache.pulsar.client.impl.auth.";
const remedy = `use one of: ${["Token", "Tls", "Basic", "oauth2.AuthenticationOAuth2", "Disabled"]
  .map((name) => `${javaPackage}${name.includes(".") ? name : `Authentication${name}`}`)
  .join(", ")}; or token, tls, basic, oauth2, none`;

/** What only Pulsar's own clients have, and what to do instead. */
const elsewhere: ReadonlyMap<string, string> = new Map([
  [
    "AuthenticationKeyStoreTls",
    `a Java key store cannot be read here: export certificate and key as PEM files (openssl pkcs12 -nodes) and use ${javaPackage}AuthenticationTls`,
  ],
  ["AuthenticationAthenz", "only Pulsar's own client has Athenz: use the native transport"],
  ["athenz", "only Pulsar's own client has Athenz: use the native transport"],
  ["AuthenticationSasl", "only Pulsar's own client has Kerberos: use the native transport"],
  ["sasl", "only Pulsar's own client has Kerberos: use the native transport"],
]);

/**
 * The authentication that Java's plugin name and parameters stand for. Reads no file and asks nobody yet.
 *
 * @throws UnsupportedAuthenticationError (`PIO_UNSUPPORTED_AUTHENTICATION`), InvalidAuthenticationError (`PIO_INVALID_AUTHENTICATION`).
 */
export function resolveAuthentication(settings: AuthenticationSettings): Authentication {
  const plugin = settings.plugin?.trim() ?? "";
  const name = plugin.startsWith(javaPackage) ? plugin.slice(javaPackage.length) : plugin;
  const params = settings.params?.trim() ?? "";
  switch (name) {
    case "":
    case "none":
    case "AuthenticationDisabled":
      return none;
    case "token":
    case "AuthenticationToken":
      return tokenAuthentication(params, settings.environment);
    case "basic":
    case "AuthenticationBasic":
      return basicAuthentication(params, settings.environment);
    case "tls":
    case "AuthenticationTls":
      return tlsAuthentication(params);
    case "oauth2":
    case "oauth2.AuthenticationOAuth2":
      return oauth2Authentication(params, settings);
    default:
      throw unsupported(plugin, name);
  }
}

function unsupported(plugin: string, name: string): UnsupportedAuthenticationError {
  // Somebody may have given the token where its plugin belongs.
  const shown = /^(?!eyJ)[\w.$]{1,120}$/.test(plugin) ? plugin : "that was given";
  return new UnsupportedAuthenticationError(`the authentication plugin ${shown} is not supported`, {
    details: { plugin: shown },
    remedy: elsewhere.get(name.split(".").at(-1) ?? "") ?? remedy,
  });
}

const none: Authentication = { method: "none", credentials: () => Promise.resolve(new Uint8Array(0)) };
