import { type Command, Option } from "commander";
import type { CliHost } from "../cli-host.ts";
import { parseCount, prepare } from "./prepare.ts";
import { addRunOptions } from "./run.ts";

/** Options of Java's LocalRunner that `run` does not have. */
const further: readonly Option[] = [
  new Option("--instance-id-offset <number>").argParser(parseCount),
  new Option("--exit-on-error [boolean]"),
  new Option("--runtime <name>"),
  new Option("--state-storage-impl-class <class>"),
  new Option("--function-config <json>"),
  new Option("--sink-config <json>"),
];

/**
 * What `pulsar-admin sources localrun` starts: `run`, with the command line of Java's LocalRunner.
 *
 * @see org.apache.pulsar.functions.LocalRunner
 */
export function addFunctionLocalrunner(program: Command, host: CliHost): void {
  const command = prepare(program.command("function-localrunner", { hidden: true }), host).description(
    "run a source for pulsar-admin's localrun",
  );
  addRunOptions(command);
  for (const option of further) command.addOption(option.hideHelp());
  command.action(async (flags) =>
    (await import("../function-localrunner.ts")).functionLocalrunner({ flags, command }, host),
  );
}
