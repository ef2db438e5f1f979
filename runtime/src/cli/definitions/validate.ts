import type { Command } from "commander";
import type { CliHost } from "../cli-host.ts";
import { addSourceOptions } from "../source-options.ts";
import { addConnectorsDir, prepare } from "./prepare.ts";

const examples = `
Examples:
  pulsar-ts-io validate -t <connector> --source-config-file config.yaml
  pulsar-ts-io validate -t <connector> --source-config-file source.yaml --json    (a whole SourceConfig)
  pulsar-ts-io validate -t <connector> --help                                     (lists the connector's settings)

All mistakes are told at once. Exit code 2: there are some.
`;

/** @param connectorHelp what follows the help when a connector is named. */
export function addValidate(program: Command, host: CliHost, connectorHelp: string): void {
  const validate = prepare(program.command("validate"), host)
    .description("check a source's config, and open nothing")
    .addHelpText("after", examples + connectorHelp);
  addConnectorsDir(addSourceOptions(validate))
    .option("--json", "print the verdict as JSON")
    .action(async (flags) => (await import("../validate-command.ts")).validateCommand(flags, host));
}
