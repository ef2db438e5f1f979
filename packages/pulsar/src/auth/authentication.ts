import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { toError } from "@pulsar-ts-io/core";
import { InvalidAuthenticationError, UnsupportedAuthenticationError } from "../errors.ts";

/** Who we say we are. */
export interface Authentication {
  /** Its name on the wire. */
  readonly method: string;
  /** Fresh credentials: asked for at each connect and at each challenge. @throws InvalidAuthenticationError */
  credentials(): Promise<Uint8Array>;
}

export interface AuthenticationSettings {
  /** Java's class name or a short name; absent: none. */
  readonly plugin?: string | undefined;
  readonly params?: string | undefined;
  /** For `env:NAME`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const javaPackage = "org.apache.pulsar.client.impl.auth.";
const supported = `${javaPackage}AuthenticationToken (or token), ${javaPackage}AuthenticationDisabled (or none)`;
const tokenRemedy = 'give the token as token:…, file:///path, env:NAME or {"token":"…"}';

const none: Authentication = { method: "none", credentials: () => Promise.resolve(new Uint8Array(0)) };

/**
 * The authentication that Java's plugin name and parameters stand for.
 *
 * @throws UnsupportedAuthenticationError (`PIO_UNSUPPORTED_AUTHENTICATION`), InvalidAuthenticationError (`PIO_INVALID_AUTHENTICATION`).
 */
export function resolveAuthentication(settings: AuthenticationSettings): Authentication {
  const plugin = settings.plugin ?? "";
  const name = plugin.startsWith(javaPackage) ? plugin.slice(javaPackage.length) : plugin;
  switch (name) {
    case "":
    case "none":
    case "AuthenticationDisabled":
      return none;
    case "token":
    case "AuthenticationToken":
      return tokenAuthentication(settings);
    default:
      throw new UnsupportedAuthenticationError(`the authentication plugin ${plugin} is not supported`, {
        details: { plugin },
        remedy: `use one of: ${supported}`,
      });
  }
}

function tokenAuthentication(settings: AuthenticationSettings): Authentication {
  const read = tokenSupplier(settings.params?.trim() ?? "", settings.environment);
  return {
    method: "token",
    async credentials() {
      const token = (await read()).trim();
      if (token === "") throw invalidToken("the authentication token is empty");
      return Buffer.from(token);
    },
  };
}

/** Reads the token anew each time: whoever renews it writes it to the same place. */
function tokenSupplier(
  params: string,
  environment: Readonly<Record<string, string | undefined>>,
): () => Promise<string> {
  if (params === "") throw invalidToken("the authentication plugin token has no parameters");
  if (params.startsWith("{")) {
    const token = tokenOfJson(params);
    return () => Promise.resolve(token);
  }
  if (params.startsWith("file:")) {
    const path = pathOf(params);
    return () => readToken(path);
  }
  if (params.startsWith("env:")) {
    const name = params.slice("env:".length);
    return async () => {
      const token = environment[name];
      if (token === undefined)
        throw invalidToken(`the environment variable ${name} for the token is not set`);
      return token;
    };
  }
  const token = params.startsWith("token:") ? params.slice("token:".length) : params;
  return () => Promise.resolve(token);
}

function pathOf(params: string): string {
  if (!params.startsWith("file://")) return params.slice("file:".length);
  try {
    return fileURLToPath(params);
  } catch (error) {
    // The text may hold anything, but a file's name is no secret.
    throw invalidToken(`${params} names no local file: ${toError(error).message}`);
  }
}

async function readToken(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new InvalidAuthenticationError(`the token could not be read from ${path}`, {
      cause: error,
      details: { path },
      remedy: "check that the file exists and that this process may read it",
    });
  }
}

function tokenOfJson(params: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(params);
  } catch {
    // The parser's message would repeat a part of the token.
    throw invalidToken("the parameters of the token plugin start with { but are no JSON");
  }
  if (
    typeof parsed === "object" &&
    parsed !== null &&
    "token" in parsed &&
    typeof parsed.token === "string"
  ) {
    return parsed.token;
  }
  throw invalidToken("the JSON parameters of the token plugin have no text under token");
}

function invalidToken(message: string): InvalidAuthenticationError {
  return new InvalidAuthenticationError(message, { remedy: tokenRemedy });
}
