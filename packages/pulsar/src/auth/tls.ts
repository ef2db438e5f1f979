import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { toError } from "@pulsar-ts-io/core";
import { InvalidAuthenticationError } from "../errors.ts";
import type { Authentication, TlsIdentity } from "./authentication.ts";
import { type ParametersForm, readParameters, requiredParameter } from "./parameters.ts";

const form: ParametersForm = {
  plugin: "tls",
  remedy:
    'give the PEM files as tlsCertFile:/path,tlsKeyFile:/path or {"tlsCertFile":"/path","tlsKeyFile":"/path"}',
};

/** A client certificate: what TLS proves, the wire need not say. @throws InvalidAuthenticationError (`PIO_INVALID_AUTHENTICATION`) */
export function tlsAuthentication(params: string): Authentication {
  const parameters = readParameters(params, form, true);
  const certFile = requiredParameter(parameters, "tlsCertFile", form);
  const keyFile = requiredParameter(parameters, "tlsKeyFile", form);
  return {
    method: "tls",
    credentials: () => Promise.resolve(new Uint8Array(0)),
    tlsIdentity: () => readIdentity(certFile, keyFile),
  };
}

async function readIdentity(certFile: string, keyFile: string): Promise<TlsIdentity> {
  const [cert, key] = await Promise.all([read(certFile, "certificate"), read(keyFile, "key")]);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw new InvalidAuthenticationError(
      `${certFile} and ${keyFile} are no certificate with its key: ${toError(error).message}`,
      {
        details: { certFile, keyFile },
        remedy: "name PEM files that belong together, the key without a passphrase",
      },
    );
  }
  return { cert, key };
}

async function read(path: string, what: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new InvalidAuthenticationError(`the client's ${what} could not be read from ${path}`, {
      cause: error,
      details: { path },
      remedy: "check that the file exists and that this process may read it",
    });
  }
}
