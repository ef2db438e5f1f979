import { Command, InvalidArgumentError, Option } from "commander";
import { logFormats, logLevels } from "../logging/log-options.ts";
import { addBrokerOptions } from "./broker-options.ts";
import type { CliHost } from "./cli-host.ts";
import { addLocalrunOptions } from "./localrun-options.ts";
import { addSourceOptions } from "./source-options.ts";
import { positionNames } from "./start-position.ts";
import { columnsOf } from "./terminal.ts";
import { outputs, pulsarTransports } from "./transport.ts";

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

Exit codes:
  0 stopped by its user   1 the source failed     2 wrong flag or setting   3 connector not usable
  4 source not reachable  5 Pulsar not reachable  6 in use, not moved       70 defect of this program
`;

const runExamples = `
Examples:
  pulsar-ts-io run -t <connector> --source-config-file config.yaml -o my-topic
  pulsar-ts-io run -t <connector> --source-config '{"name": "\${env:NAME}"}' --output console
  pulsar-ts-io run --archive ./my-connector --source-config-file source.yaml    (a whole SourceConfig)
  pulsar-ts-io run -t <connector> --help                                        (lists the connector's settings)

Pulsar's address and credentials come from flags, else from client.conf (PULSAR_CLIENT_CONF, or conf/client.conf
in PULSAR_HOME), else pulsar://localhost:6650. Every text of the connector's config may hold \${env:NAME} and
\${file:/path}. SIGINT and SIGTERM stop reading, wait for Pulsar's receipts and store the position; the second one
ends at once.
`;

const checkExamples = `
Examples:
  pulsar-ts-io check -t <connector> --source-config-file config.yaml
  pulsar-ts-io check -t <connector> --source-config-file config.yaml --json

Nothing is left behind: what could not be tried without that says "not tried". Exit code 4: something was refused.
`;

const partitionsExamples = `
Examples:
  pulsar-ts-io partitions -t <connector> --source-config-file config.yaml
  pulsar-ts-io partitions -t <connector> --source-config-file config.yaml --json
  pulsar-ts-io partitions reset -t <connector> --source-config-file config.yaml --to TRIM_HORIZON

It reads and changes nothing. AT WORK says whether the owner did anything while the command looked, for a few seconds.
LAG is the time by which the stored position is behind; ? is what could not be found out, a note says why.
`;

const resetExamples = `
Examples:
  pulsar-ts-io partitions reset -t <connector> --source-config-file config.yaml --to LATEST
  pulsar-ts-io partitions reset -t <connector> --source-config-file config.yaml --to AT_TIMESTAMP --at 2026-03-05T19:28:58Z --yes

Stop every instance of the source first: it is refused (exit code 6) while one is at work. What a crashed instance
left behind is watched until it is sure that it is dead.
`;

/** The commands. What they do is loaded when one of them runs: help and usage errors must be quick. */
export function createProgram(host: CliHost, texts: ProgramTexts): Command {
  const program = new Command("pulsar-ts-io")
    .description("Runs connectors that bring data into Apache Pulsar.")
    .version(texts.version, "-v, --version", "print the version")
    .addHelpText("after", examples);
  prepare(program, host);
  addRun(program, host, texts);
  addValidate(program, host, texts);
  addCheck(program, host);
  addPartitions(program, host);
  addConnectors(program, host);
  return program;
}

function addRun(program: Command, host: CliHost, texts: ProgramTexts): void {
  const run = prepare(program.command("run"), host)
    .description("run a source until it is told to stop")
    .addHelpText("after", runExamples + (texts.connectorHelp ?? ""));
  addLocalrunOptions(addBrokerOptions(addConnectorsDir(addSourceOptions(run))))
    .addOption(new Option("--output <where>", "where records go").choices(outputs).default("pulsar"))
    .addOption(
      new Option("--pulsar-transport <name>", "native: by pulsar-client, which you install beside this")
        .choices(pulsarTransports)
        .default("wire"),
    )
    .option("--instance-id <number>", "which instance of the source this is, from 0", parseInstanceId, 0)
    .addOption(
      new Option("--log-level <level>", "the least important lines to log")
        .choices(logLevels)
        .default("info"),
    )
    .addOption(
      new Option("--log-format <format>", "default: text on a terminal, else json").choices(logFormats),
    )
    .action(async (flags) => (await import("./run-command.ts")).runCommand(flags, host));
}

function addValidate(program: Command, host: CliHost, texts: ProgramTexts): void {
  const validate = prepare(program.command("validate"), host)
    .description("check a source's config, and open nothing")
    .addHelpText("after", texts.connectorHelp ?? "");
  addConnectorsDir(addSourceOptions(validate))
    .option("--json", "print the verdict as JSON")
    .action(async (flags) => (await import("./validate-command.ts")).validateCommand(flags, host));
}

function addCheck(program: Command, host: CliHost): void {
  const check = prepare(program.command("check"), host)
    .description("try what a source will need, change nothing, and print what has to be granted")
    .addHelpText("after", checkExamples);
  addConnectorsDir(addSourceOptions(check))
    .option("--json", "print it as JSON")
    .action(async (flags) => (await import("./check-command.ts")).checkCommand(flags, host));
}

function addPartitions(program: Command, host: CliHost): void {
  const partitions = prepare(program.command("partitions"), host)
    .alias("leases")
    .description("show who reads which partition of a source, and how far")
    .addHelpText("after", partitionsExamples);
  addConnectorsDir(addSourceOptions(partitions))
    .option("--json", "print it as JSON")
    .action(async (flags) => (await import("./partitions-command.ts")).listPartitions(flags, host));
  const reset = prepare(partitions.command("reset"), host)
    .description("move all partitions of a source that nobody reads")
    .addHelpText("after", resetExamples);
  addConnectorsDir(addSourceOptions(reset))
    .addOption(new Option("--to <position>", "where to").choices(positionNames).makeOptionMandatory())
    .option("--at <time>", "the time for AT_TIMESTAMP, ISO 8601 with its zone, or milliseconds since 1970")
    .option("--yes", "do not ask")
    .action(async (_flags, command: Command) =>
      // What both commands know, commander gives to the outer one.
      (await import("./partitions-command.ts")).resetPartitions(command.optsWithGlobals(), host),
    );
}

function addConnectors(program: Command, host: CliHost): void {
  const connectors = prepare(program.command("connectors"), host).description(
    "show which connectors there are",
  );
  addConnectorsDir(prepare(connectors.command("list"), host))
    .description("every connector, the broken ones with the reason")
    .option("--json", "print it as JSON")
    .action(async (flags) => (await import("./connectors-command.ts")).listConnectors(flags, host));
  addConnectorsDir(prepare(connectors.command("describe"), host))
    .argument("<connector>", "its name, or its directory")
    .description("what a connector is, and what can be set")
    .option("--json", "print it as JSON, its JSON Schema included")
    .action(async (name, flags) =>
      (await import("./connectors-command.ts")).describeConnector(name, flags, host),
    );
}

function addConnectorsDir(command: Command): Command {
  return command.option("--connectors-dir <directory>", "a directory whose subdirectories are connectors");
}

/** Help goes to the host's outputs; errors are thrown, to be shown in one place. */
function prepare(command: Command, host: CliHost): Command {
  const { stdout } = host.process;
  return command
    .exitOverride()
    .helpCommand(false)
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => host.terminal.write(text),
      outputError: () => undefined,
      getOutHelpWidth: () => columnsOf(stdout),
    });
}

function parseInstanceId(value: string): number {
  if (/^\d{1,6}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("It must be an integer from 0 on.");
}
