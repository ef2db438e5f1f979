import type { Command } from "commander";
import { CommandInput } from "../../src/cli/input.ts";
import { JsonOutput } from "../../src/cli/json-output.ts";
import { createProgram } from "../../src/cli/program.ts";
import { StopSignals } from "../../src/cli/stop-signals.ts";
import { Terminal } from "../../src/cli/terminal.ts";
import { FakeProcess } from "./fake-process.ts";

/** One command of the program, with the words that it is called by. */
export interface ListedCommand {
  readonly words: readonly string[];
  readonly command: Command;
}

/** Every command that users see, the program itself first. */
export function everyCommand(): readonly ListedCommand[] {
  const proc = new FakeProcess([]);
  const { stdout, stderr, stdin, env } = proc;
  const terminal = new Terminal(stdout, stderr);
  using stop = new StopSignals(proc);
  const parts = { stop, input: new CommandInput(stdin), terminal, json: new JsonOutput(stdout) };
  const host = { process: proc, env, ...parts, hiddenFlags: [] };
  return below({ words: [], command: createProgram(host, { version: "1.2.3", connectorHelp: undefined }) });
}

function below(listed: ListedCommand): readonly ListedCommand[] {
  const { words, command } = listed;
  const children = command.createHelp().visibleCommands(command);
  return [listed, ...children.flatMap((child) => below({ words: [...words, child.name()], command: child }))];
}
