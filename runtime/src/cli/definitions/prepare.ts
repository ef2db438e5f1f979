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

/** The value of an option that is a time, in milliseconds; a bare number counts seconds. */
export function parseDuration(value: string): number {
  const [, digits, unit = "s"] = /^(\d{1,6})(ms|s|m|h)?$/.exec(value) ?? [];
  const ms = Number(digits) * (units[unit] ?? 0);
  if (ms > 0) return ms;
  throw new InvalidArgumentError("It must be a time above 0, such as 500ms, 30s or 2m.");
}

const sizes: Readonly<Record<string, number>> = { k: 1_024, m: 1_048_576, g: 1_073_741_824 };

/** The value of an option that is an amount of memory, in bytes. */
export function parseSize(value: string): number {
  const [, digits, unit = ""] = /^(\d{1,9})([kmg])b?$/.exec(value.toLowerCase()) ?? [];
  const bytes = Number(digits) * (sizes[unit] ?? 0);
  if (bytes > 0) return bytes;
  throw new InvalidArgumentError("It must be a size above 0 with its unit, such as 512m or 2g.");
}
