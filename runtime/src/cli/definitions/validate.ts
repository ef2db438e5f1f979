import type { Command } from "commander";
import type { CliHost } from "../cli-host.ts";
import { addSourceOptions } from "../source-options.ts";
import { addConnectorsDir, prepare } from "./prepare.ts";

/** @param connectorHelp what follows the help when a connector is named. */
export function addValidate(program: Command, host: CliHost, connectorHelp: string): void {
  const validate = prepare(program.command("validate"), host)
    .description("check a source's config, and open nothing")
    .addHelpText("after", connectorHelp);
  addConnectorsDir(addSourceOptions(validate))
    .option("--json", "print the verdict as JSON")
    .action(async (flags) => (await import("../validate-command.ts")).validateCommand(flags, host));
}
