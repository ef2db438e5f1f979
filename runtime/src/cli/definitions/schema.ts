import type { Command } from "commander";
import type { CliHost } from "../cli-host.ts";
import { prepare } from "./prepare.ts";

const examples = `
Examples:
  pulsar-ts-io schema
  pulsar-ts-io schema ./my-source --check    (for CI)
`;

export function addSchema(program: Command, host: CliHost): void {
  prepare(program.command("schema"), host)
    .argument("[directory]", "the connector's directory", ".")
    .description("generate a connector's schema and type from the property table in its README.md")
    .option("--check", "write nothing; fail when something is not up to date")
    .addHelpText("after", examples)
    .action(async (directory, flags) =>
      (await import("../schema-command.ts")).schemaCommand(directory, flags, host),
    );
}
