import { type Command, Option } from "commander";
import type { CliHost } from "../cli-host.ts";
import { addSourceOptions } from "../source-options.ts";
import { positionNames } from "../start-position.ts";
import { addConnectorsDir, prepare } from "./prepare.ts";

const examples = `
Examples:
  pulsar-ts-io partitions -t <connector> --source-config-file config.yaml
  pulsar-ts-io partitions -t <connector> --source-config-file config.yaml --json
  pulsar-ts-io partitions reset -t <connector> --source-config-file config.yaml --to TRIM_HORIZON

It reads and changes nothing. SINCE is when the owner got it, by the owner's clock. AT WORK says whether the owner did
anything while the command looked, for a few seconds. LAG is the time by which the stored position is behind; ? is what could not be found out, a note says why.
It ends after 60 s at most.
`;

const resetExamples = `
Examples:
  pulsar-ts-io partitions reset -t <connector> --source-config-file config.yaml --to LATEST
  pulsar-ts-io partitions reset -t <connector> --source-config-file config.yaml --to AT_TIMESTAMP --at 2026-03-05T19:28:58Z --yes

Stop every instance of the source first: it is refused (exit code 6) while one is at work. What a crashed instance
left behind is watched until it is sure that it is dead. It ends after 5 minutes at most.
`;

export function addPartitions(program: Command, host: CliHost): void {
  const partitions = prepare(program.command("partitions"), host)
    .alias("leases")
    .description("show who reads which partition of a source, and how far")
    .addHelpText("after", examples);
  addConnectorsDir(addSourceOptions(partitions))
    .option("--json", "print it as JSON")
    .action(async (flags) => (await import("../partitions-command.ts")).listPartitions(flags, host));
  addReset(partitions, host);
}

function addReset(partitions: Command, host: CliHost): void {
  const reset = prepare(partitions.command("reset"), host)
    .description("move all partitions of a source that nobody reads")
    .addHelpText("after", resetExamples);
  addConnectorsDir(addSourceOptions(reset))
    .addOption(new Option("--to <position>", "where to").choices(positionNames).makeOptionMandatory())
    .option("--at <time>", "the time for AT_TIMESTAMP, ISO 8601 with its zone, or milliseconds since 1970")
    .option("--yes", "do not ask")
    .option("--json", "print the outcome as JSON")
    .action(async (_flags, command: Command) =>
      // What both commands know, commander gives to the outer one.
      (await import("../partitions-command.ts")).resetPartitions(command.optsWithGlobals(), host),
    );
}
