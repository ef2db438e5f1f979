import { type Command, Option } from "commander";
import type { CliHost } from "../cli-host.ts";
import { prepare } from "./prepare.ts";

const kinds = ["pull", "push"];
const examples = `
Examples:
  pulsar-ts-io create my-source
  pulsar-ts-io create my-source --kind push

What it makes builds, passes its tests and runs as it is: its README.md says what to change first.
`;

export function addCreate(program: Command, host: CliHost): void {
  prepare(program.command("create"), host)
    .argument("<name>", "the connector's name, or where to make it: its last part is the name")
    .description("make the package of a new connector, which works and is yours to change")
    .addOption(
      new Option("--kind <kind>", "pull: it is asked for records; push: it is called with them")
        .choices(kinds)
        .default("pull"),
    )
    .addHelpText("after", examples)
    .action(async (name, flags) => (await import("../create-command.ts")).createCommand(name, flags, host));
}
