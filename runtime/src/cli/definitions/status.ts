import type { Command } from "commander";
import type { CliHost } from "../cli-host.ts";
import { parsePort } from "../http-options.ts";
import { prepare } from "./prepare.ts";

const examples = `
Examples:
  pulsar-ts-io status
  pulsar-ts-io status --http-port 8080 --json

It asks a run that was started with --http-port. Exit code 4: nothing answers there.
`;

export function addStatus(program: Command, host: CliHost): void {
  prepare(program.command("status"), host)
    .description("show what a source that runs does, and how it fares")
    .addHelpText("after", examples)
    .option("--http-port <port>", "the port that it serves its status at", parsePort, 9_094)
    .option("--http-host <address>", "the machine it runs on", "127.0.0.1")
    .option("--json", "print it as JSON, in the shape of Pulsar's SourceStatus")
    .action(async (flags) => (await import("../status-command.ts")).statusCommand(flags, host));
}
