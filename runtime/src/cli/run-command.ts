import { hostname } from "node:os";
import { describeProperties, formatProblem, InvalidConfigError } from "@pulsar-ts-io/config";
import { hasCode, type Logger, systemClock } from "@pulsar-ts-io/core";
import { parseTopicName } from "@pulsar-ts-io/pulsar";
import type { LogFormat, LogLevel } from "../logging/log-options.ts";
import { logProcessWarnings } from "../logging/process-warnings.ts";
import { formatLogLine } from "../logging/text-format.ts";
import {
  type BrokerFlags,
  type BrokerSettings,
  resolveBrokerSettings,
  secretsOfBroker,
} from "./broker-settings.ts";
import type { CliHost } from "./cli-host.ts";
import type { DeduplicationFlags } from "./deduplication.ts";
import { dryRun } from "./dry-run.ts";
import type { HttpFlags } from "./http-options.ts";
import type { InstanceJob } from "./instance-job.ts";
import { localrunWarnings } from "./localrun-options.ts";
import { observeRun } from "./observe-run.ts";
import { openFleet } from "./open-fleet.ts";
import { progressFields, showProgress } from "./progress.ts";
import { type RefusalFlags, refusalProblems, resolveRefusalPolicy } from "./refusal-options.ts";
import { type Flags, type RequestedSource, readRequestedSource } from "./requested-source.ts";
import { secretsWarnings } from "./secrets-options.ts";
import { createSourceLogger, type LogSettings, sensitiveNames } from "./source-logger.ts";
import { StopSignals } from "./stop-signals.ts";
import { type Output, transportProblems } from "./transport.ts";
import { UsageError } from "./usage-error.ts";

/** The flags of `run` that are not part of a SourceConfig. */
export interface RunFlags extends BrokerFlags, DeduplicationFlags, HttpFlags, RefusalFlags {
  readonly logLevel: LogLevel;
  readonly logFormat?: LogFormat | undefined;
  /** Absent: all of them. */
  readonly instanceId?: number | undefined;
  /** The number of the first of them; default 0. */
  readonly instanceIdOffset?: number | undefined;
  /** How long a stop waits for receipts, milliseconds. */
  readonly drainTimeout: number;
  readonly maxRestarts?: number | undefined;
  /** How many records to show instead of running; `true`: as many as are usual. */
  readonly dryRun?: number | true | undefined;
}

/** A run that was checked, and of which nothing is opened yet. */
export interface RunPlan {
  readonly flags: RunFlags & Flags;
  readonly requested: RequestedSource;
  readonly topic: string;
  readonly broker: BrokerSettings;
  readonly logger: Logger;
}

/** What ends a run. */
export interface RunStop {
  readonly signal: AbortSignal;
  /** Called when there is no sense in going on. */
  stop(reason: string): void;
}

/**
 * `pulsar-ts-io run`: runs one source until it is told to stop.
 *
 * @throws what {@link planRun} and {@link executeRun} throw.
 */
export async function runCommand(flags: RunFlags & Flags, host: CliHost): Promise<void> {
  const plan = await planRun(flags, host);
  if (flags.dryRun !== undefined) return await dryRun(plan.requested, flags.dryRun, host);
  // Not before: who types a config in shall be able to end it.
  using stop = new StopSignals(host.process);
  await executeRun(plan, stop, host);
}

/**
 * Reads and checks all that a run needs to be told.
 *
 * @throws InvalidConfigError, UsageError, and the errors of the plugin host.
 */
export async function planRun(flags: RunFlags & Flags, host: CliHost): Promise<RunPlan> {
  const requested = await readRequestedSource(flags, host);
  const { publisher } = requested.settings;
  const problems = [
    ...requested.problems,
    ...transportProblems(flags, publisher),
    ...refusalProblems(flags, publisher),
  ];
  if (problems.length > 0) throw new InvalidConfigError(problems);
  const topic = topicOf(requested, flags.dryRun === undefined ? flags.output : "console");
  const unused = [...localrunWarnings(flags), ...secretsWarnings(flags)];
  const broker = await resolveBrokerSettings(flags, host.env);
  host.terminal.hide(secretsOfBroker(broker));
  const logger = createSourceLogger(logSettings(requested, flags, flags.instanceId), logLines(flags, host));
  if (flags.dryRun === undefined) {
    for (const problem of unused) logger.warn({ problem }, "odd setting");
    warn(logger, requested, flags, host);
  }
  return { flags, requested, topic, broker, logger };
}

/**
 * Runs until `stop` says so, then drains.
 *
 * @throws InstanceFailedError, and HttpPortError.
 */
export async function executeRun(plan: RunPlan, stop: RunStop, host: CliHost): Promise<void> {
  const { flags, requested, topic, broker, logger } = plan;
  logProcessWarnings(host.process, logger);
  const parts = { clock: systemClock, logger };
  await using observer = await observeRun(requested, flags, { ...parts, topic });
  const readerLeft = () => stop.stop("standard output was closed");
  host.process.stdout.on("error", readerLeft);
  const jobs = instanceIds(requested, flags).map((instanceId) => ({
    ...requested,
    instance: instanceOptions(requested, flags, { topic, instanceId }),
    destination: destinationOf(flags),
    broker,
    log: logSettings(requested, flags, instanceId),
    measured: observer.watches,
  }));
  const fleet = openFleet(jobs, {
    ...parts,
    data: host.terminal.dataStream(),
    write: logLines(flags, host),
    process: host.process,
    mask: (text) => host.terminal.masked(text),
    maxRestarts: flags.maxRestarts,
  });
  const ended = new AbortController();
  const snapshot = () => fleet.counts();
  const progress = showProgress({ ...parts, terminal: host.terminal, snapshot }, ended.signal);
  const watching = observer.watch(fleet, ended.signal);
  try {
    await fleet.run(stop.signal);
  } catch (error) {
    // A reader that goes away, as `| head` does, has what it wanted; what it did not read is not acknowledged.
    if (!hasCode(error, "PIO_CONSOLE_CLOSED")) throw error;
  } finally {
    host.process.stdout.off("error", readerLeft);
    ended.abort(new Error("the run has ended"));
    await Promise.all([progress, watching]);
    logger.info(progressFields(snapshot()), "run ended");
  }
}

/** The instances that run here: all of them, or the one that the user names. */
function instanceIds({ settings }: RequestedSource, flags: RunFlags): readonly number[] {
  const { instanceId, instanceIdOffset = 0 } = flags;
  if (instanceId !== undefined) return [instanceId];
  return Array.from({ length: settings.parallelism }, (_, index) => instanceIdOffset + index);
}

/** Of all the flags only these: the others would travel with them. */
function destinationOf({ output, pulsarTransport, assumeDeduplication }: RunFlags): DeduplicationFlags {
  return { output, pulsarTransport, assumeDeduplication };
}

function topicOf(requested: RequestedSource, output: Output): string {
  const { topic } = requested.settings;
  if (topic !== undefined) {
    parseTopicName(topic); // a name that cannot be one is the user's mistake, not Pulsar's refusal
    return topic;
  }
  if (output === "console") return "console";
  throw new UsageError("no destination topic is given", {
    remedy:
      "name the topic to publish to with --destination-topic-name, or show records with --output console",
  });
}

function instanceOptions(
  { settings, connector, secrets }: RequestedSource,
  flags: RunFlags,
  { topic, instanceId }: { readonly topic: string; readonly instanceId: number },
): InstanceJob["instance"] {
  const { drainTimeout } = flags;
  const { tenant, namespace, guarantee } = settings;
  const name = settings.name ?? connector.manifest.name;
  return {
    tenant,
    namespace,
    name,
    instanceId,
    // Whoever starts instances one by one need not say how many there are.
    numInstances: Math.max(settings.parallelism, instanceId + 1),
    topic,
    guarantee,
    secrets,
    onRefused: resolveRefusalPolicy(flags, topic),
    drainTimeoutMs: drainTimeout,
    publisher: {
      ...settings.publisher,
      // Java's names: topic stats and dashboards show them.
      producerProperties: {
        application: "pulsar-source",
        id: `${tenant}/${namespace}/${name}`,
        instance_id: String(instanceId),
        instance_hostname: hostname(),
      },
    },
  };
}

function logSettings(
  { connector, settings }: RequestedSource,
  flags: RunFlags,
  instanceId: number | undefined,
): LogSettings {
  const { tenant, namespace, name = connector.manifest.name } = settings;
  return {
    level: flags.logLevel,
    sensitive: sensitiveNames(connector),
    fields: {
      source: `${tenant}/${namespace}/${name}`,
      ...(instanceId === undefined ? {} : { instanceId }),
    },
  };
}

/** Takes the lines of logs, ours and those of other processes, as JSON; shows them as the user wants them. */
function logLines({ logFormat }: RunFlags, { terminal }: CliHost): (line: string) => void {
  const format = logFormat ?? (terminal.interactive ? "pretty" : "json");
  return (line) => terminal.write(format === "pretty" ? formatLogLine(line, terminal.style) : line);
}

function warn(logger: Logger, requested: RequestedSource, flags: RunFlags & Flags, host: CliHost): void {
  for (const warning of requested.warnings) logger.warn({ problem: formatProblem(warning) }, "odd setting");
  const exposed = host.hiddenFlags.filter((flag) => !/config/i.test(flag) || holdsSecret(requested, flags));
  if (exposed.length === 0) return;
  const remedy = `use a file, \${env:NAME} or \${file:/path} in a config, and file:///path or env:NAME for a token`;
  logger.warn(
    { flags: exposed, remedy },
    "secrets on the command line, hidden from the process list only after the start",
  );
}

/** Whether the command line holds a sensitive value itself, rather than a reference to one. */
function holdsSecret({ connector, settings }: RequestedSource, flags: Flags): boolean {
  if (flags["sourceConfig"] === undefined && flags["wholeSourceConfig"] === undefined) return false;
  return describeProperties(connector.schema).some(({ name, sensitive }) => {
    const value = sensitive ? settings.configs[name] : undefined;
    return value !== undefined && !(typeof value === "string" && value.includes("${"));
  });
}
