import { readFile } from "node:fs/promises";
import { type ConfigProblem, ConfigValidator, resolveReferences } from "@pulsar-ts-io/config";
import type { ConfigSchema } from "../plugin/connector-package.ts";

export interface ConnectorConfigInput {
  /** The connector's own config, as written. */
  readonly configs: Readonly<Record<string, unknown>>;
  /** Pulsar's secrets map. Its texts may hold references themselves. */
  readonly secrets: Readonly<Record<string, string>>;
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
  const { env } = input;
  const read = (path: string) => readFile(path, "utf8");
  const resolvedSecrets = await resolveReferences({ ...input.secrets }, { env, readFile: read, secrets: {} });
  const secrets = textsOf(resolvedSecrets.values);
  const secretProblems = resolvedSecrets.problems.map((problem) => ({
    ...problem,
    path: `secrets.${problem.path}`,
  }));
  const resolved = await resolveReferences({ ...input.configs }, { env, readFile: read, secrets });
  const verdict = new ConfigValidator(schema, { environment: env }).validate(resolved);
  const problems = [...secretProblems, ...(verdict.kind === "invalid" ? verdict.problems : [])];
  return {
    config: verdict.kind === "valid" && problems.length === 0 ? verdict.config : undefined,
    secrets: new Map(Object.entries(secrets)),
    problems,
    warnings: verdict.warnings,
  };
}

/** References in texts resolve to texts: nothing is left out. */
function textsOf(values: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) if (typeof value === "string") texts[name] = value;
  return texts;
}
