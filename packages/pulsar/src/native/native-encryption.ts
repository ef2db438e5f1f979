import { createPublicKey, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { toError } from "@pulsar-ts-io/core";
import { InvalidEncryptionError } from "../errors.ts";
import type { EncryptionOptions } from "../publisher.ts";
import type { NativeModule } from "./load-client.ts";

type ProducerConfig = Parameters<InstanceType<NativeModule["Client"]>["createProducer"]>[0];

/** The client's own names of it. */
export function encryptionConfig({
  publicKeyPath,
  keyNames,
  onFailure,
}: EncryptionOptions): Partial<ProducerConfig> {
  return { publicKeyPath, encryptionKeys: [...keyNames], cryptoFailureAction: onFailure };
}

/**
 * The client opens a producer whatever the key is, and each message fails then, or leaves unencrypted.
 *
 * @throws InvalidEncryptionError (`PIO_INVALID_ENCRYPTION`) for a key that cannot encrypt, and when there is no name for it.
 */
export async function checkEncryption({ publicKeyPath: path, keyNames }: EncryptionOptions): Promise<void> {
  if (keyNames.length === 0 || keyNames.some((name) => name === "" || name.includes("\0"))) {
    throw new InvalidEncryptionError("the names of the encryption keys are missing, or one is no name", {
      remedy: "name at least one key as encryptionKeys: by its name a reader finds the private key",
    });
  }
  const { asymmetricKeyType: type } = await readPublicKey(path);
  if (type === "rsa") return;
  throw new InvalidEncryptionError(`the public key ${path} is of type ${type}`, {
    details: { path },
    remedy: "use an RSA key: the official client encrypts with no other",
  });
}

async function readPublicKey(path: string): Promise<KeyObject> {
  try {
    const pem = await readFile(path, "utf8");
    // Node takes the public half of a private key, too; libpulsar does not.
    if (!pem.includes("-----BEGIN PUBLIC KEY-----")) throw new Error("it holds no PUBLIC KEY in PEM form");
    return createPublicKey(pem);
  } catch (error) {
    const cause = toError(error);
    throw new InvalidEncryptionError(`the public key ${path} cannot be read: ${cause.message}`, {
      cause,
      details: { path },
      remedy: "give the path of an RSA public key, as openssl rsa -pubout writes it",
    });
  }
}
