import { type Command, InvalidArgumentError } from "commander";
import type { CliHost } from "../cli-host.ts";
import { applyEnvironment } from "../environment-options.ts";
import { columnsOf } from "../terminal.ts";

/** Help goes to the host's outputs; errors are thrown, to be shown in one place. */
export function prepare(command: Command, host: CliHost): Command {
  const { stdout } = host.process;
  return command
    .exitOverride()
    .hook("preSubcommand", (_parent, subcommand) => applyEnvironment(subcommand, host.env))
    .helpCommand(false)
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => host.terminal.write(text),
      outputError: () => undefined,
      getOutHelpWidth: () => columnsOf(stdout),
    });
}

/** Where connectors are found besides the built-in ones. */
export function addConnectorsDir(command: Command): Command {
  return command.option(
    "--connectors-dir <directory>",
    "a directory of connectors: archives and directories",
  );
}

/** The value of an option that counts from 0. */
export function parseCount(value: string): number {
  if (/^\d{1,6}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("It must be an integer from 0 on.");
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** The value of an option that is a time, in milliseconds. */
export function parseDuration(value: string): number {
  return parseQuantity(value, "a time", units, ["30s", "500ms", "2m"]);
}

const sizes: Readonly<Record<string, number>> = { k: 1_024, m: 1_048_576, g: 1_073_741_824 };

/** The value of an option that is an amount of memory, in bytes. */
export function parseSize(value: string): number {
  return parseQuantity(value.toLowerCase().replace(/(?<=[kmg])b$/, ""), "a size", sizes, ["512m", "2g"]);
}

/** A number above 0 and its unit. Without a unit it is refused: 30 would be seconds for one option and bytes for another. */
function parseQuantity(
  value: string,
  what: string,
  factors: Readonly<Record<string, number>>,
  examples: readonly string[],
): number {
  const [, digits = "", unit = ""] = /^(\d{1,9})([a-z]*)$/.exec(value) ?? [];
  const factor = Object.hasOwn(factors, unit) ? factors[unit] : undefined;
  if (factor !== undefined && Number(digits) > 0) return Number(digits) * factor;
  const hint = digits === "" || unit !== "" ? "" : ` ${digits} has no unit.`;
  throw new InvalidArgumentError(
    `It must be ${what} above 0 with its unit, such as ${examples.slice(0, -1).join(", ")} or ${examples.at(-1)}.${hint}`,
  );
}
