import { type Command, InvalidArgumentError, type Option } from "commander";
import type { Environment } from "./client-conf.ts";
import { UsageError } from "./usage-error.ts";

/** Options of which only one counts: one on the command line puts the others of the environment out of force. */
const alternatives = ["sourceType", "archive", "connector"] as const;

/** Options whose empty variable is an error: it comes from a field of the pod that this cluster does not fill. */
const neverEmpty = new Set(["instanceId"]);

/** Not from the environment: a question is answered for one command, not for all that follow; and the version is one. */
const onlyFlags = new Set(["yes", "version"]);

/** The variable that may stand for an option: `PULSAR_TS_IO_` and its long name; `undefined` when none may. */
export function variableOf(option: Option): string | undefined {
  if (option.long === undefined || onlyFlags.has(option.attributeName())) return undefined;
  return `PULSAR_TS_IO_${option.long.slice(2).toUpperCase().replaceAll("-", "_")}`;
}

/**
 * Gives the options of `command` the values that the environment has for them. A flag read later wins.
 *
 * An empty variable counts as unset, and `false` leaves an option out that takes no value.
 *
 * @throws UsageError (`PIO_USAGE`) naming the variable whose value the option does not take.
 */
export function applyEnvironment(command: Command, env: Environment): void {
  for (const option of command.options) {
    const variable = variableOf(option);
    const text = variable === undefined ? undefined : env[variable];
    if (variable === undefined || text === undefined) continue;
    if (text === "" && neverEmpty.has(option.attributeName())) throw emptyError(variable);
    if (text === "") continue;
    command.setOptionValueWithSource(option.attributeName(), read(option, variable, text), "env");
  }
}

/** Forgets what the environment says of a choice that the command line has made. */
export function dropOverruled(command: Command): void {
  const family = [command, ...(command.parent === null ? [] : [command.parent])];
  const chosen = family.some((one) => alternatives.some((name) => one.getOptionValueSource(name) === "cli"));
  if (!chosen) return;
  for (const one of family) {
    for (const name of alternatives) {
      if (one.getOptionValueSource(name) === "env") one.setOptionValueWithSource(name, undefined, "env");
    }
  }
}

/** Says how the first option of a command is called in the environment; empty for a command without any. */
export function environmentHelp(command: Command): string {
  const example = command.options.find((option) => !option.hidden && variableOf(option) !== undefined);
  if (example === undefined) return "";
  return `
Every option may come from the environment instead: ${example.long} as ${variableOf(example)}.
A flag wins over the environment, and that over a file.
`;
}

/**
 * The value of an option that is given as a text, as on the command line; `true` or `false` for one without a value.
 *
 * @throws InvalidArgumentError of commander, whose message says what the option takes.
 */
export function parseOption(option: Option, text: string): unknown {
  if (isSwitch(option, text)) return parseSwitch(text);
  return option.parseArg === undefined ? text : option.parseArg<unknown>(text, undefined);
}

function read(option: Option, variable: string, text: string): unknown {
  try {
    return parseOption(option, text);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new UsageError(`${variable} in the environment is not what ${option.long} takes`, {
      cause: error,
      remedy: `correct or unset it: ${error.message}`,
    });
  }
}

/** Without the number, every pod would run all instances. */
function emptyError(variable: string): UsageError {
  return new UsageError(`${variable} in the environment is empty`, {
    remedy:
      "set it to the instance's number, or unset it; the pod label apps.kubernetes.io/pod-index needs Kubernetes 1.28 or newer",
  });
}

/** Whether it takes no value, or can do without one and is given none. */
function isSwitch({ required, optional, parseArg }: Option, text: string): boolean {
  if (required) return false;
  return !optional || (parseArg !== undefined && /^(true|false)$/i.test(text));
}

function parseSwitch(text: string): true | undefined {
  if (text.toLowerCase() === "true") return true;
  if (text.toLowerCase() === "false") return undefined;
  throw new InvalidArgumentError("It must be true or false.");
}
