import { readFile } from "node:fs/promises";
import {
  type ConfigProblem,
  ConfigValidator,
  type ReferenceSources,
  resolveReferences,
  withoutLineEnd,
} from "@pulsar-ts-io/config";
import type { ConfigSchema } from "../plugin/connector-package.ts";
import { ClearTextSecrets } from "../secrets/clear-text-secrets.ts";
import type { SecretEntry, SecretsProvider } from "../secrets/secrets-provider.ts";

export interface ConnectorConfigInput {
  /** The connector's own config, as written. */
  readonly configs: Readonly<Record<string, unknown>>;
  /** Pulsar's secrets map. Its texts may hold references themselves. */
  readonly secrets: Readonly<Record<string, SecretEntry>>;
  /** Who turns it into secrets; absent: its texts are the secrets. */
  readonly secretsProvider?: SecretsProvider | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A connector's config after references and schema, and everything that was found. */
export interface ConnectorConfigOutcome {
  /** Complete, with defaults; `undefined` when there are problems. */
  readonly config: unknown;
  readonly secrets: ReadonlyMap<string, string>;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

/** Replaces references, then validates against the connector's schema. Opens nothing. */
export async function resolveConnectorConfig(
  schema: ConfigSchema,
  input: ConnectorConfigInput,
): Promise<ConnectorConfigOutcome> {
  const { env, secretsProvider = new ClearTextSecrets() } = input;
  const read = (path: string) => readFile(path, "utf8");
  const { secrets, problems: secretProblems } = await provideSecrets(input.secrets, secretsProvider, {
    env,
    readFile: read,
  });
  const interpolate = (name: string) => secretsProvider.interpolate(name);
  const resolved = await resolveReferences(
    { ...input.configs },
    { env, readFile: read, secrets, interpolate },
  );
  const verdict = new ConfigValidator(schema, { environment: env }).validate(resolved);
  const problems = [...secretProblems, ...(verdict.kind === "invalid" ? verdict.problems : [])];
  return {
    config: verdict.kind === "valid" && problems.length === 0 ? verdict.config : undefined,
    secrets: new Map(Object.entries(secrets)),
    problems,
    warnings: verdict.warnings,
  };
}

/** References in the map's texts first, then whatever its provider makes of it. */
async function provideSecrets(
  entries: Readonly<Record<string, SecretEntry>>,
  provider: SecretsProvider,
  sources: Pick<ReferenceSources, "env" | "readFile">,
): Promise<{ readonly secrets: Record<string, string>; readonly problems: readonly ConfigProblem[] }> {
  const texts = Object.entries(entries).filter(([, entry]) => typeof entry === "string");
  const { values, problems } = await resolveReferences(Object.fromEntries(texts), {
    ...sources,
    secrets: {},
  });
  const found = problems.map((problem) => ({ ...problem, path: `secrets.${problem.path}` }));
  const secrets: Record<string, string> = {};
  for (const [name, entry] of Object.entries(entries)) {
    const text = values[name];
    const answer = await provider.provide(name, typeof text === "string" ? text : entry);
    if (answer.kind === "found") secrets[name] = withoutLineEnd(answer.value);
    else found.push({ path: `secrets.${name}`, message: answer.message, remedy: answer.remedy });
  }
  return { secrets, problems: found };
}
