import type { Command } from "commander";
import type { CliHost } from "../cli-host.ts";
import { prepare } from "./prepare.ts";

const examples = `
Examples:
  pulsar-ts-io dev
  pulsar-ts-io dev ./my-source --source-config '{"count": 10}'

Nothing is published: records are shown as --output console shows them. Each run has a state of its own,
so it begins anew. After a build that fails the next change is waited for.
`;

export function addDev(program: Command, host: CliHost): void {
  prepare(program.command("dev"), host)
    .argument("[directory]", "the connector's directory", ".")
    .description("build and run a connector again after each change, its records on the console")
    .option("--source-config <json>", "the connector's config as JSON or YAML")
    .option("--source-config-file <file>", "a file with it; default dev-config.yaml of the directory")
    .addHelpText("after", examples)
    .action(async (directory, flags) =>
      (await import("../dev-command.ts")).devCommand(directory, flags, host),
    );
}
