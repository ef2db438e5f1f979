import { type Command, Option } from "commander";

/** Options of `pulsar-admin sources localrun` that are accepted, so that its command lines work, and have no effect here. */
const withoutEffect = [
  {
    flags: "--state-storage-service-url <url>",
    why: "BookKeeper keeps no state here; use --state-store file:/directory",
  },
] as const;

/** Adds them, hidden. */
export function addLocalrunOptions(command: Command): Command {
  for (const { flags } of withoutEffect) command.addOption(new Option(flags).hideHelp());
  return command;
}

/** What to say about those that were given. */
export function localrunWarnings(flags: Readonly<Record<string, unknown>>): readonly string[] {
  return withoutEffect
    .map(({ flags: text, why }) => ({ option: new Option(text), why }))
    .filter(({ option }) => flags[option.attributeName()] !== undefined)
    .map(({ option, why }) => `${option.long} has no effect: ${why}`);
}
