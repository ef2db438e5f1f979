import type { Command } from "commander";
import type { CliHost } from "../cli-host.ts";
import { prepare } from "./prepare.ts";

const examples = `
Examples:
  pulsar-ts-io package
  pulsar-ts-io package ./my-source --output dist

The archive holds what npm would publish of the connector, and every package that it needs: nothing is installed where it runs.
The same files give the same bytes. It is read back as --archive would before the command ends.
`;

export function addPackage(program: Command, host: CliHost): void {
  prepare(program.command("package"), host)
    .argument("[directory]", "the connector's directory", ".")
    .description("pack a connector and all that it needs into one archive")
    .option("--output <directory>", "where to write it", ".")
    .option("--json", "print what was written as JSON")
    .addHelpText("after", examples)
    .action(async (directory, flags) =>
      (await import("../package-command.ts")).packageCommand(directory, flags, host),
    );
}
