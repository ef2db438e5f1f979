import { Command } from "commander";
import type { CliHost } from "./cli-host.ts";
import { addCheck } from "./definitions/check.ts";
import { addCompletion } from "./definitions/completion.ts";
import { addConnectors } from "./definitions/connectors.ts";
import { addCreate } from "./definitions/create.ts";
import { addDev } from "./definitions/dev.ts";
import { addFunctionLocalrunner } from "./definitions/function-localrunner.ts";
import { addPackage } from "./definitions/package.ts";
import { addPartitions } from "./definitions/partitions.ts";
import { prepare } from "./definitions/prepare.ts";
import { addRun } from "./definitions/run.ts";
import { addSchema } from "./definitions/schema.ts";
import { addStatus } from "./definitions/status.ts";
import { addValidate } from "./definitions/validate.ts";
import { dropOverruled, environmentHelp } from "./environment-options.ts";
import { refuseGivenTwice } from "./given-twice.ts";
import { unknownVariables } from "./unknown-variables.ts";

/** What cannot be known before the command line was looked at. */
export interface ProgramTexts {
  readonly version: string;
  /** Follows the help of `run` and `validate`. */
  readonly connectorHelp: string | undefined;
}

const examples = `
Examples:
  pulsar-ts-io connectors list
  pulsar-ts-io connectors describe <connector>
  pulsar-ts-io validate --source-type <connector> --source-config-file config.yaml
  pulsar-ts-io check --source-type <connector> --source-config-file config.yaml
  pulsar-ts-io partitions --source-type <connector> --source-config-file config.yaml
  pulsar-ts-io run --source-type <connector> --source-config-file config.yaml --output console
  pulsar-ts-io run --source-type <connector> --source-config-file config.yaml \\
      --destination-topic-name persistent://public/default/events --broker-service-url pulsar://localhost:6650
  pulsar-ts-io status

Exit codes:
  0 stopped by its user   1 the source failed     2 wrong flag or setting   3 connector not usable
  4 source not reachable  5 Pulsar not reachable  6 in use, not moved       70 defect of this program
`;

/** A run logs its warnings; the answers to a shell are for the shell. */
const silentAboutVariables = new Set(["run", "function-localrunner", "complete"]);

/** The commands. What they do is loaded when one of them runs: help and usage errors must be quick. */
export function createProgram(host: CliHost, { version, connectorHelp = "" }: ProgramTexts): Command {
  const program = new Command("pulsar-ts-io")
    .description("Runs connectors that bring data into Apache Pulsar.")
    .version(version, "-v, --version", "print the version")
    .addHelpText("after", examples)
    .addHelpText("afterAll", ({ command }) => environmentHelp(command))
    .hook("preAction", (_program, command) => dropOverruled(command))
    .hook("preAction", async (top, command) => {
      if (silentAboutVariables.has(command.name())) return;
      for (const text of await unknownVariables(top, host.env)) host.terminal.write(`warning: ${text}\n`);
    });
  prepare(program, host);
  addRun(program, host, connectorHelp);
  addValidate(program, host, connectorHelp);
  addCheck(program, host);
  addPartitions(program, host);
  addStatus(program, host);
  addConnectors(program, host);
  addCreate(program, host);
  addDev(program, host);
  addSchema(program, host);
  addPackage(program, host);
  addCompletion(program, host);
  addFunctionLocalrunner(program, host);
  refuseGivenTwice(program);
  return program;
}
