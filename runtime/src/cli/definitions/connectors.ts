import type { Command } from "commander";
import type { CliHost } from "../cli-host.ts";
import { addConnectorsDir, prepare } from "./prepare.ts";

const examples = `
Examples:
  pulsar-ts-io connectors list
  pulsar-ts-io connectors describe <connector>
`;

const listExamples = `
Examples:
  pulsar-ts-io connectors list
  pulsar-ts-io connectors list --connectors-dir ./connectors --json
`;

const describeExamples = `
Examples:
  pulsar-ts-io connectors describe <connector>
  pulsar-ts-io connectors describe ./my-connector --json
`;

const verifyExamples = `
Examples:
  pulsar-ts-io connectors verify <connector>
  pulsar-ts-io connectors verify ./my-connector-1.0.0.tgz --json
`;

export function addConnectors(program: Command, host: CliHost): void {
  const connectors = prepare(program.command("connectors"), host)
    .description("show which connectors there are")
    .addHelpText("after", examples);
  addConnectorsDir(prepare(connectors.command("list"), host))
    .description("every connector, the broken ones with the reason")
    .addHelpText("after", listExamples)
    .option("--json", "print it as JSON")
    .action(async (flags) => (await import("../connectors-command.ts")).listConnectors(flags, host));
  addConnectorsDir(prepare(connectors.command("describe"), host))
    .argument("<connector>", "its name, its archive, or its directory")
    .description("what a connector is, and what can be set")
    .addHelpText("after", describeExamples)
    .option("--json", "print it as JSON, its JSON Schema included")
    .option("--schema", "print its JSON Schema alone")
    .option("--config-definition", "print its settings as Pulsar's REST interface lists them")
    .action(async (name, flags) =>
      (await import("../connectors-command.ts")).describeConnector(name, flags, host),
    );
  addConnectorsDir(prepare(connectors.command("verify"), host))
    .argument("<connector>", "its name, its archive, or its directory")
    .description("look at all of a connector that can be known without its service")
    .addHelpText("after", verifyExamples)
    .option("--json", "print it as JSON")
    .action(async (name, flags) => (await import("../verify-command.ts")).verifyCommand(name, flags, host));
}
