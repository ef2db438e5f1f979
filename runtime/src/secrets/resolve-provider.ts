import { ClearTextSecrets } from "./clear-text-secrets.ts";
import { EnvironmentSecrets } from "./environment-secrets.ts";
import { FileSecrets } from "./file-secrets.ts";
import type { SecretsProvider } from "./secrets-provider.ts";

const javaClass = /^([\w$]+\.)*(ClearText|EnvironmentBased)SecretsProvider$/;

/** @returns the provider of that name, ours or Java's class name; `undefined` when there is none. */
export function resolveSecretsProvider(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): SecretsProvider | undefined {
  const kind = javaClass.exec(name)?.[2] ?? name;
  if (kind === "cleartext" || kind === "ClearText") return new ClearTextSecrets();
  if (kind === "env" || kind === "EnvironmentBased") return new EnvironmentSecrets(env);
  const directory = /^file:(.+)$/.exec(name)?.[1];
  return directory === undefined ? undefined : new FileSecrets(directory);
}
