import { toError } from "@pulsar-ts-io/core";
import { CommanderError } from "commander";
import { styleOf } from "../logging/style.ts";
import { normaliseArguments } from "./argument-spelling.ts";
import type { CliHost, CliProcess } from "./cli-host.ts";
import type { Environment } from "./client-conf.ts";
import { endProcess } from "./end-process.ts";
import { exitCodeOf, exitCodes } from "./exit-codes.ts";
import { CommandInput } from "./input.ts";
import { JsonOutput } from "./json-output.ts";
import { createProgram } from "./program.ts";
import { formatError } from "./report-error.ts";
import { type SignalProcess, StopSignals } from "./stop-signals.ts";
import { columnsOf, Terminal } from "./terminal.ts";
import { StoppedError, UnexpectedError, UsageError } from "./usage-error.ts";
import { readVersion } from "./version.ts";

/** The process as Node gives it: what a command needs, and its last resorts. */
export interface RootProcess extends CliProcess {
  on(event: "SIGINT" | "SIGTERM" | "exit", listener: () => void): unknown;
  on(event: "warning", listener: (warning: Error) => void): unknown;
  on(event: "uncaughtException" | "unhandledRejection", listener: (error: unknown) => void): unknown;
  /** As Node has it. */
  setSourceMapsEnabled?(enabled: boolean): void;
}

/** What ends a process that cannot end by itself. */
export interface LastResorts {
  /** Ends the process when its event loop is blocked; absent: nothing watches it. */
  readonly watchLoop?: CliHost["watchLoop"];
  /** Ends the process without waiting for anything; absent: its end waits. */
  readonly endNow?: (code: number) => void;
}

/**
 * Runs the command line of `proc` and ends the process with the exit code of how it went.
 *
 * @param hiddenFlags flags whose values were hidden from the process list.
 */
export async function runCli(
  proc: RootProcess,
  hiddenFlags: readonly string[],
  { watchLoop, endNow }: LastResorts = {},
): Promise<void> {
  // Kept: a connector that is being loaded has no process.exit.
  const exit = proc.exit.bind(proc);
  const on: SignalProcess["on"] = (event, listener) => proc.on(event, listener);
  const off: SignalProcess["off"] = (event, listener) => proc.off(event, listener);
  // First of all: a process with the id 1, as in a container, ignores the signals that it does not ask for.
  using stop = new StopSignals({ on, off, exit });
  const args = normaliseArguments(proc.argv.slice(2));
  // Already while the command is being loaded.
  stop.expectStop(/^(run|localrun|function-localrunner|dev)$/.test(commandIn(args) ?? ""));
  const withStack = wantsStacks(args, proc.env);
  // Before the command is loaded: stack traces name lines of the sources. It costs time and memory, so only for them.
  if (withStack) proc.setSourceMapsEnabled?.(true);
  const terminal = new Terminal(proc.stdout, proc.stderr, styleOf(proc.stderr.isTTY === true, proc.env));
  const onDefect = (error: unknown) => {
    terminal.live("");
    terminal.write(formatError(unexpected(error), withStack, terminal.style));
    exit(exitCodes.internal);
  };
  proc.on("uncaughtException", onDefect);
  proc.on("unhandledRejection", onDefect);
  // A reader that went away is the reader's affair. That of the data ends a run; that of the log ends nothing.
  proc.stdout.on("error", () => undefined);
  proc.stderr.on("error", () => undefined);
  const host: CliHost = {
    process: proc,
    stop,
    env: proc.env,
    input: new CommandInput(proc.stdin),
    terminal,
    json: new JsonOutput(proc.stdout),
    hiddenFlags,
    watchLoop,
  };
  // Exit rather than wait: whatever a connector left open must not keep the process alive.
  const code = await runCommandLine(args, host, withStack);
  await endProcess({ exit, endNow, activeResources: () => proc.getActiveResourcesInfo?.() ?? [] }, code);
}

async function runCommandLine(args: readonly string[], host: CliHost, withStack: boolean): Promise<number> {
  try {
    const program = createProgram(host, {
      version: await readVersion(),
      connectorHelp: await helpAbout(args, host),
    });
    await Promise.race([program.parseAsync([...args], { from: "user" }), abandoned(host.stop)]);
    return exitCodes.ok;
  } catch (thrown) {
    const ending = endingOf(thrown, args, host.stop);
    if (ending === undefined) return exitCodes.ok;
    const { error, exitCode } = ending;
    host.terminal.write(formatError(error, withStack, host.terminal.style));
    if (wantsJson(args, host.env)) host.json.fail(error, exitCode, (text) => host.terminal.masked(text));
    return exitCode;
  }
}

interface Ending {
  readonly error: unknown;
  readonly exitCode: number;
}

/** What to show of what ended a command; `undefined`: it ended well. */
function endingOf(thrown: unknown, args: readonly string[], stop: StopSignals): Ending | undefined {
  const { exitCode: stopCode, signal } = stop;
  if (stopCode !== undefined && thrown === signal.reason) {
    return stopCode === exitCodes.ok
      ? undefined
      : { error: stoppedError(commandIn(args), thrown), exitCode: stopCode };
  }
  const error = thrown instanceof CommanderError ? usageError(thrown, args) : thrown;
  if (error === undefined) return undefined;
  const exitCode = exitCodeOf(error);
  return { error: exitCode === exitCodes.internal ? unexpected(error) : error, exitCode };
}

/** @throws the reason of the stop, when a command does not end in time after it. */
async function abandoned(stop: StopSignals): Promise<never> {
  await stop.overdue;
  throw stop.signal.reason;
}

function stoppedError(command: string | undefined, cause: unknown): StoppedError {
  return new StoppedError(
    `${command ?? "the command"} was stopped before it was done: ${toError(cause).message}`,
    {
      cause,
      remedy: "run it again",
    },
  );
}

/** Known before the command line is understood: it may be what is wrong. */
function wantsStacks(args: readonly string[], env: Environment): boolean {
  const flags = args.filter(
    (argument, index) => argument === "--log-level" || args[index - 1] === "--log-level",
  );
  return flags.length > 0 ? flags.includes("debug") : env["PULSAR_TS_IO_LOG_LEVEL"] === "debug";
}

/** Whether one JSON document is expected. A run prints records, and none. */
function wantsJson(args: readonly string[], env: Environment): boolean {
  if (/^(run|localrun)$/.test(commandIn(args) ?? "")) return false;
  return args.includes("--json") || env["PULSAR_TS_IO_JSON"]?.toLowerCase() === "true";
}

function commandIn(args: readonly string[]): string | undefined {
  return args.find((argument) => !argument.startsWith("-"));
}

/** Loads the plugin host only if there is a connector to speak about. */
async function helpAbout(args: readonly string[], host: CliHost): Promise<string | undefined> {
  if (!args.some((argument) => /^(-[at]|--(source-type|archive|connector))(=|$)/.test(argument)))
    return undefined;
  return (await import("./connector-help.ts")).connectorHelp(args, columnsOf(host.process.stdout), host.env);
}

/** Commander's error in our words; `undefined` when it only says that help or version was printed. */
function usageError(error: CommanderError, args: readonly string[]): UsageError | undefined {
  if (error.exitCode === 0) return undefined;
  const unknown = error.code === "commander.unknownCommand";
  const meant = unknown ? meantBy(args) : undefined;
  if (meant !== undefined)
    return new UsageError(`there is no command ${meant.typed}`, { remedy: meant.remedy });
  const command = unknown ? undefined : commandPath(args);
  const help = `see \`pulsar-ts-io ${command === undefined ? "" : `${command} `}--help\``;
  if (error.code === "commander.help") return new UsageError("no command is given", { remedy: help });
  // Of an option that nobody knows, nobody knows whether its value is a secret.
  const text = error.message.replace(/^error: /, "").replace(/^(unknown option '[^'=]*)=[\s\S]*/, "$1'");
  const [message = "", hint = ""] = text.split("\n");
  const suggestion = /^\(Did you mean (.*)\?\)$/.exec(hint)?.[1];
  const remedy = suggestion === undefined ? help : `did you mean ${suggestion}?`;
  return new UsageError(message, { remedy });
}

/** The command with its subcommand: each has a help of its own. */
function commandPath(args: readonly string[]): string | undefined {
  const [command, sub = ""] = args.filter((argument) => !argument.startsWith("-"));
  return /^\w+ reset$|^connectors (list|describe|verify)$/.test(`${command} ${sub}`)
    ? `${command} ${sub}`
    : command;
}

/** What people type who know another program. */
const otherNames: Readonly<Record<string, string>> = {
  help: "pulsar-ts-io --help",
  list: "pulsar-ts-io connectors list",
  describe: "pulsar-ts-io connectors describe",
  "available-sources": "pulsar-ts-io connectors list",
  start: "pulsar-ts-io run",
  version: "pulsar-ts-io --version",
};

function meantBy(args: readonly string[]): { readonly typed: string; readonly remedy: string } | undefined {
  const [typed = "", next = ""] = args.filter((argument) => !argument.startsWith("-"));
  const other = Object.hasOwn(otherNames, typed) ? otherNames[typed] : undefined;
  if (other !== undefined) return { typed, remedy: `use \`${other}\`` };
  if (typed !== "sources" && typed !== "source") return undefined;
  const remedy = /^(localrun|create)$/.test(next)
    ? `leave out "${typed}": use \`pulsar-ts-io run\` with the same options`
    : "use `pulsar-ts-io run`, or `pulsar-ts-io connectors list`";
  return { typed: next === "" ? typed : `${typed} ${next}`, remedy };
}

function unexpected(cause: unknown): UnexpectedError {
  return new UnexpectedError(`something failed unexpectedly: ${toError(cause).message}`, {
    cause,
    remedy:
      "report it, with the output of a run with --log-level debug, to the connector's or this program's authors",
  });
}
