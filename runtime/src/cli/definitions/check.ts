import type { Command } from "commander";
import type { CliHost } from "../cli-host.ts";
import { addSourceOptions } from "../source-options.ts";
import { addConnectorsDir, prepare } from "./prepare.ts";

const examples = `
Examples:
  pulsar-ts-io check -t <connector> --source-config-file config.yaml
  pulsar-ts-io check -t <connector> --source-config-file config.yaml --json

Nothing is left behind: what could not be tried without that says "not tried". Exit code 4: something was refused,
or did not answer within 60 s.
`;

export function addCheck(program: Command, host: CliHost): void {
  const check = prepare(program.command("check"), host)
    .description("try what a source will need, change nothing, and print what has to be granted")
    .addHelpText("after", examples);
  addConnectorsDir(addSourceOptions(check))
    .option("--json", "print it as JSON")
    .action(async (flags) => (await import("../check-command.ts")).checkCommand(flags, host));
}
