import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { PulsarTlsError } from "../errors.ts";

const certificates = /-----BEGIN (?<kind>(?:TRUSTED )?CERTIFICATE)-----[^-]*-----END \k<kind>-----/g;

/**
 * The authorities that `path` names, as PEM.
 *
 * @throws PulsarTlsError (`PIO_PULSAR_TLS`) when there is none, or one is damaged: Node would trust nobody from there on, without a word.
 */
export async function readTrust(path: string): Promise<Buffer> {
  const pem = await readFile(path).catch((cause: unknown) => {
    throw untrusted(`the trusted certificates could not be read from ${path}`, path, cause);
  });
  const found = pem.toString("latin1").match(certificates) ?? [];
  if (found.length === 0) throw untrusted(`${path} holds no certificate in PEM`, path, undefined);
  if (!found.every(isCertificate)) throw untrusted(`${path} holds a damaged certificate`, path, undefined);
  return pem;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).serialNumber !== "";
  } catch {
    return false;
  }
}

function untrusted(message: string, path: string, cause: unknown): PulsarTlsError {
  return new PulsarTlsError(message, {
    ...(cause === undefined ? {} : { cause }),
    details: { path },
    remedy: "name a readable PEM file with the certificate authority of the broker (--tls-trust-cert-path)",
  });
}
