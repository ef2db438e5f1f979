import { fileURLToPath } from "node:url";
import type { EncryptionOptions } from "@pulsar-ts-io/pulsar";
import { FieldReader, type Fields } from "./field-reader.ts";
import { isUnset } from "./fields.ts";
import type { ProblemList } from "./problem-list.ts";
import { refuseUnknown } from "./unknown-fields.ts";

const prefix = "producerConfig.cryptoConfig.";
const readerPrefix = `${prefix}cryptoKeyReaderConfig.`;
const defaultReader = /^(org\.apache\.pulsar\.client\.impl\.)?DefaultCryptoKeyReader$/;
const failureActions = ["FAIL", "SEND"] as const;
const known = [
  "cryptoKeyReaderClassName",
  "cryptoKeyReaderConfig",
  "encryptionKeys",
  "producerCryptoFailureAction",
  "consumerCryptoFailureAction",
];
const knownOfReader = ["defaultPublicKey", "defaultPrivateKey", "publicKeys", "privateKeys"];
const keyRemedy = "name the file of an RSA public key, as /path or file:///path";

/**
 * Pulsar's CryptoConfig, with the parameters of Java's DefaultCryptoKeyReader: the one reader that there is here.
 *
 * @returns `undefined` where it says nothing, and when something is wrong with it.
 */
export function readCryptoConfig(cryptoConfig: Fields, problems: ProblemList): EncryptionOptions | undefined {
  if (isUnset(cryptoConfig)) return undefined;
  refuseUnknown(cryptoConfig, known, prefix, problems);
  const fields = new FieldReader(cryptoConfig, prefix, problems);
  const className = fields.text("cryptoKeyReaderClassName");
  if (className !== undefined && !defaultReader.test(className)) {
    const remedy = `leave it out, and ${keyRemedy}, in cryptoKeyReaderConfig.defaultPublicKey`;
    problems.refuse(`${prefix}cryptoKeyReaderClassName`, "a Java class cannot run here", remedy, className);
  }
  if (!isUnset(cryptoConfig["consumerCryptoFailureAction"])) {
    problems.warn(`${prefix}consumerCryptoFailureAction`, "has no effect: a source consumes nothing");
  }
  const publicKeyPath = readKeyPath(fields.mapping("cryptoKeyReaderConfig") ?? {}, problems);
  const keyNames = readKeyNames(cryptoConfig["encryptionKeys"], problems);
  const onFailure = fields.oneOf("producerCryptoFailureAction", failureActions) ?? "FAIL";
  if (publicKeyPath === undefined || keyNames === undefined) return undefined;
  return { publicKeyPath, keyNames, onFailure };
}

function readKeyPath(readerConfig: Fields, problems: ProblemList): string | undefined {
  refuseUnknown(readerConfig, knownOfReader, readerPrefix, problems);
  for (const name of ["defaultPrivateKey", "privateKeys"]) {
    if (!isUnset(readerConfig[name]))
      problems.warn(`${readerPrefix}${name}`, "has no effect: nothing is read");
  }
  if (!isUnset(readerConfig["publicKeys"])) {
    const why = "there is one public key for all names";
    problems.refuse(`${readerPrefix}publicKeys`, why, `${keyRemedy}, in defaultPublicKey`);
  }
  const fields = new FieldReader(readerConfig, readerPrefix, problems);
  const text = fields.text("defaultPublicKey");
  const path = text === undefined ? undefined : pathOf(text);
  if (path === undefined)
    problems.refuse(`${readerPrefix}defaultPublicKey`, "must be a file", keyRemedy, text);
  return path;
}

/** @returns `undefined` for other URLs: Java reads `data:` as well. */
function pathOf(text: string): string | undefined {
  if (!/^[a-z][\w+.-]*:/i.test(text)) return text;
  try {
    return fileURLToPath(text);
  } catch {
    return undefined;
  }
}

function readKeyNames(encryptionKeys: unknown, problems: ProblemList): readonly string[] | undefined {
  const names: readonly unknown[] = Array.isArray(encryptionKeys) ? encryptionKeys : [];
  const texts = names.filter((name) => typeof name === "string" && name !== "") as string[]; // none of another type is left
  if (texts.length > 0 && texts.length === names.length) return texts;
  problems.refuse(
    `${prefix}encryptionKeys`,
    "must be a list of names, at least one",
    "name the key: by its name a reader finds the private key",
  );
  return undefined;
}
