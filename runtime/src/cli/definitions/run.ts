import { type Command, InvalidArgumentError, Option } from "commander";
import { refusalActions } from "../../instance/refusal-policy.ts";
import { type LogFormat, logFormats, logLevels } from "../../logging/log-options.ts";
import { parseStatePlace, type StatePlace } from "../../state/open-state.ts";
import { addBrokerOptions } from "../broker-options.ts";
import type { CliHost } from "../cli-host.ts";
import { addHttpOptions } from "../http-options.ts";
import { addLocalrunOptions } from "../localrun-options.ts";
import { addSourceOptions } from "../source-options.ts";
import { outputs, pulsarTransports } from "../transport.ts";
import { addConnectorsDir, parseCount, parseDuration, parseSize, prepare } from "./prepare.ts";

const examples = `
Examples:
  pulsar-ts-io run -t <connector> --source-config-file config.yaml -o my-topic
  pulsar-ts-io run -t <connector> --source-config '{"name": "\${env:NAME}"}' --output console
  pulsar-ts-io run -t <connector> --source-config-file config.yaml --dry-run
  pulsar-ts-io run -t <connector> --source-config-file config.yaml -o my-topic --watch
  pulsar-ts-io run --archive ./my-connector --source-config-file source.yaml    (a whole SourceConfig)
  pulsar-ts-io run -t <connector> --help                                        (lists the connector's settings)

Pulsar's address and credentials come from flags, else from client.conf (PULSAR_CLIENT_CONF, or conf/client.conf
in PULSAR_HOME), else pulsar://localhost:6650. Every text of the connector's config may hold \${env:NAME} and
\${file:/path}. SIGINT and SIGTERM stop reading, wait for Pulsar's receipts and store the position; the second one
ends at once.
`;

/** @param connectorHelp what follows the help when a connector is named. */
export function addRun(program: Command, host: CliHost, connectorHelp: string): void {
  const run = prepare(program.command("run").alias("localrun"), host)
    .description("run a source until it is told to stop")
    .addHelpText("after", examples + connectorHelp);
  addRunOptions(run)
    .option(
      "--watch",
      "start anew whenever --source-config-file changes and is valid; else keep the run, and say why",
    )
    .action(async (flags) =>
      flags.watch === true
        ? (await import("../watch-run.ts")).watchRun({ flags, command: run }, host)
        : (await import("../run-command.ts")).runCommand({ flags, command: run }, host),
    );
}

/** Adds all that can be said about a run. */
export function addRunOptions(command: Command): Command {
  return addHttpOptions(addLocalrunOptions(addBrokerOptions(addConnectorsDir(addSourceOptions(command)))))
    .addOption(new Option("--output <where>", "where records go").choices(outputs).default("pulsar"))
    .addOption(
      new Option("--pulsar-transport <name>", "native: by pulsar-client, which you install beside this")
        .choices(pulsarTransports)
        .default("wire"),
    )
    .option(
      "--assume-deduplication",
      "EFFECTIVELY_ONCE: do not ask whether topics deduplicate, take it for granted",
    )
    .addOption(
      new Option(
        "--earlier-producer-names <whose>",
        "EFFECTIVELY_ONCE: which source published under plain partition ids, as earlier releases did: own or foreign",
      ).choices(["own", "foreign"]),
    )
    .addOption(
      new Option("--on-refused <action>", "what becomes of a record that Pulsar refuses for good")
        .choices(refusalActions)
        .default("fail"),
    )
    .option("--dead-letter-topic <topic>", "where --on-refused dead-letter publishes such records")
    .option(
      "--dry-run [count]",
      "print so many records (default: 10) as --output console does, take nothing and write nothing",
      parseCount,
    )
    .option("--json", "with --dry-run: a line of JSON for each record, its value in Base64")
    .option("--instance-id <number>", "run only this one of the source's instances, from 0", parseCount)
    .addOption(
      new Option("--drain-timeout <time>", "how long a stop waits for Pulsar's receipts, such as 45s or 2m")
        .argParser(parseDuration)
        .default(30_000, "30s"),
    )
    .addOption(
      new Option(
        "--start-timeout <time>",
        "how long a first start is retried while Pulsar or what the source reads from is away, such as 5m; wrong settings end the run at once",
      )
        .argParser(parseDuration)
        .default(0, "0s: the first failure ends the run"),
    )
    .option(
      "--max-restarts <count>",
      "how often a source that fails is started again before the run ends (default: for ever)",
      parseCount,
    )
    .addOption(
      new Option(
        "--stall-timeout <time>",
        "how long nothing may move although there is something to move, before the source is started again",
      )
        .argParser(parseDuration)
        .default(300_000, "5m"),
    )
    .addOption(
      new Option(
        "--state-store <place>",
        "where the source's state is kept: file:/directory, memory, or none, and then it has no state",
      )
        .argParser(parseState)
        .default({ kind: "none" }, "none"),
    )
    .option(
      "--max-memory <size>",
      "how much memory an instance's process may have resident, such as 512m, before it drains and is started again",
      parseSize,
    )
    .addOption(
      new Option("--log-level <level>", "the least important lines to log")
        .choices(logLevels)
        .default("info"),
    )
    .addOption(
      new Option("--log-format <format>", "default: pretty on a terminal, else json")
        .choices(logFormats)
        .argParser(parseLogFormat),
    );
}

/** `text` is what `pretty` was called first. */
function parseLogFormat(value: string): LogFormat {
  const format = logFormats.find((known) => known === (value === "text" ? "pretty" : value));
  if (format === undefined) throw new InvalidArgumentError(`Allowed choices are ${logFormats.join(", ")}.`);
  return format;
}

function parseState(value: string): StatePlace {
  const place = value === "none" ? ({ kind: "none" } as const) : parseStatePlace(value);
  if (place === undefined) throw new InvalidArgumentError("It must be file:/directory, memory or none.");
  return place;
}
