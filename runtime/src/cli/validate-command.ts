import { type ConfigProblem, formatProblem } from "@pulsar-ts-io/config";
import { Command } from "commander";
import type { CliHost } from "./cli-host.ts";
import { addRunOptions } from "./definitions/run.ts";
import { invalidConfig } from "./invalid-config.ts";
import { type Flags, readRequestedSource } from "./requested-source.ts";
import type { RunFlags } from "./run-jobs.ts";
import { checkRun, destinationProblems } from "./run-problems.ts";

/**
 * `pulsar-ts-io validate`: says everything that is wrong with a source, as `run` would, and opens nothing.
 *
 * With `--json` the verdict goes to standard output, `{"valid", "connector", "problems", "warnings"}`, also when it is bad.
 *
 * @throws InvalidConfigError (`PIO_INVALID_CONFIG`) with all problems.
 */
export async function validateCommand(flags: Flags, host: CliHost): Promise<void> {
  const requested = await readRequestedSource(flags, host);
  const { connector, warnings } = requested;
  const command = addRunOptions(new Command());
  const run = checkRun(command, command.opts<RunFlags>(), requested);
  const problems = [...run.problems, ...destinationProblems(requested, run.flags)];
  const { name } = connector.manifest;
  const write = (text: string) => host.process.stdout.write(text);
  if (flags["json"] === true) {
    host.json.write({ valid: problems.length === 0, connector: name, problems, warnings });
  } else {
    for (const warning of warnings) host.terminal.write(`warning: ${line(warning)}\n`);
    if (problems.length === 0) write(`the config of connector ${name} is valid\n`);
  }
  if (problems.length > 0) throw invalidConfig(problems, requested);
}

function line(problem: ConfigProblem): string {
  return formatProblem(problem);
}
