import { type Command, Option } from "commander";
import { UsageError } from "./usage-error.ts";

/** Options of `pulsar-admin sources localrun` that are accepted, so that its command lines work, and have no effect here. */
const withoutEffect = [
  { flags: "--state-storage-service-url <url>", why: "there is no state store yet" },
  { flags: "--secrets-provider-config <json>", why: "the secrets map is taken as it is" },
] as const;

const secretsProvider = "--secrets-provider-classname <class>";
/** The one provider whose work is done here: it hands the secrets map's texts over as they are. */
const clearText = /(^|\.)ClearTextSecretsProvider$/;

/** Adds them, hidden. */
export function addLocalrunOptions(command: Command): Command {
  for (const flags of [...withoutEffect.map((option) => option.flags), secretsProvider]) {
    command.addOption(new Option(flags).hideHelp());
  }
  return command;
}

/**
 * What to say about those that were given.
 *
 * @throws UsageError (`PIO_USAGE`) for a secrets provider, whose secrets would be missing.
 */
export function localrunWarnings(flags: Readonly<Record<string, unknown>>): readonly string[] {
  const provider = flags[new Option(secretsProvider).attributeName()];
  if (typeof provider === "string" && !clearText.test(provider)) {
    throw new UsageError(`the secrets provider ${provider} cannot run here`, {
      remedy: `leave it out, and write \${env:NAME} or \${file:/path} in the config or the secrets map`,
    });
  }
  return withoutEffect
    .map(({ flags: text, why }) => ({ option: new Option(text), why }))
    .filter(({ option }) => flags[option.attributeName()] !== undefined)
    .map(({ option, why }) => `${option.long} has no effect: ${why}`);
}
