import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { toError } from "@pulsar-ts-io/core";
import { InvalidAuthenticationError } from "../errors.ts";

/**
 * Reads a secret from the place that `reference` names: `file:/path`, `file:///path` or `env:NAME`; `undefined` when it names none.
 *
 * The result reads it anew each time: whoever renews it writes it to the same place.
 *
 * @param what the secret in words, such as `the token`.
 * @throws InvalidAuthenticationError (`PIO_INVALID_AUTHENTICATION`) for a file URL that names no local file.
 */
export function secretReader(
  reference: string,
  what: string,
  environment: Readonly<Record<string, string | undefined>>,
): (() => Promise<string>) | undefined {
  if (reference.startsWith("file:")) {
    const path = pathOf(reference);
    return () => readSecret(path, what);
  }
  if (!reference.startsWith("env:")) return undefined;
  const name = reference.slice("env:".length);
  return () => {
    const text = environment[name];
    if (text !== undefined) return Promise.resolve(text.trim());
    throw new InvalidAuthenticationError(`the environment variable ${name} for ${what} is not set`, {
      details: { variable: name },
      remedy: `set ${name} where this process runs`,
    });
  };
}

function pathOf(reference: string): string {
  if (!reference.startsWith("file://")) return reference.slice("file:".length);
  try {
    return fileURLToPath(reference);
  } catch (error) {
    // A file's name is no secret.
    throw new InvalidAuthenticationError(`${reference} names no local file: ${toError(error).message}`, {
      remedy: "write file:///path/of/the/file, with three slashes",
    });
  }
}

async function readSecret(path: string, what: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    throw new InvalidAuthenticationError(`${what} could not be read from ${path}`, {
      cause: error,
      details: { path },
      remedy: "check that the file exists and that this process may read it",
    });
  }
}
