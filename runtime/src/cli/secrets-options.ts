import { type Command, Option } from "commander";
import { resolveSecretsProvider } from "../secrets/resolve-provider.ts";
import type { SecretsProvider } from "../secrets/secrets-provider.ts";
import type { Environment } from "./client-conf.ts";
import { UsageError } from "./usage-error.ts";

const provider = new Option(
  "--secrets-provider <provider>",
  "who finds {path, key} of the secrets map: env, or file:/directory (default: cleartext, nobody)",
);
/** As pulsar-admin's localrun names it. */
const className = new Option("--secrets-provider-classname <class>").hideHelp();
const classConfig = new Option("--secrets-provider-config <json>").hideHelp();

/** Adds the options that say who turns Pulsar's secrets map into secrets. */
export function addSecretsOptions(command: Command): Command {
  for (const option of [provider, className, classConfig]) command.addOption(option);
  return command;
}

/** @throws UsageError (`PIO_USAGE`) for a provider that there is not. */
export function requestedSecretsProvider(
  flags: Readonly<Record<string, unknown>>,
  env: Environment,
): SecretsProvider | undefined {
  const name = flags[provider.attributeName()] ?? flags[className.attributeName()];
  if (typeof name !== "string") return undefined;
  const known = resolveSecretsProvider(name, env);
  if (known !== undefined) return known;
  throw new UsageError(`there is no secrets provider ${name}`, {
    remedy: `use cleartext, env or file:/directory; or write \${env:NAME} or \${file:/path} in the config or the secrets map`,
  });
}

/** What to say about an option that only Java's providers read. */
export function secretsWarnings(flags: Readonly<Record<string, unknown>>): readonly string[] {
  if (flags[classConfig.attributeName()] === undefined) return [];
  return [`${classConfig.long} has no effect: the providers here have nothing to configure`];
}
