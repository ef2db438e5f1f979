import { type Command, Option } from "commander";
import type { CliHost } from "../cli-host.ts";
import { prepare } from "./prepare.ts";

const kinds = ["pull", "push"];

export function addCreate(program: Command, host: CliHost): void {
  prepare(program.command("create"), host)
    .argument("<name>", "the connector's name, or where to make it: its last part is the name")
    .description("make the package of a new connector, which works and is yours to change")
    .addOption(
      new Option("--kind <kind>", "pull: it is asked for records; push: it is called with them")
        .choices(kinds)
        .default("pull"),
    )
    .action(async (name, flags) => (await import("../create-command.ts")).createCommand(name, flags, host));
}
