import { describeProperties, formatProblem } from "@pulsar-ts-io/config";
import { hasCode, type Logger, systemClock, toError } from "@pulsar-ts-io/core";
import type { Command } from "commander";
import type { RefusalPolicy } from "../instance/refusal-policy.ts";
import { logProcessWarnings } from "../logging/process-warnings.ts";
import { formatLogLine } from "../logging/text-format.ts";
import { type BrokerSettings, resolveBrokerSettings, secretsOfBroker } from "./broker-settings.ts";
import type { CliHost } from "./cli-host.ts";
import { dryRun } from "./dry-run.ts";
import { exitCodeOf, exitCodes } from "./exit-codes.ts";
import { invalidConfig } from "./invalid-config.ts";
import { localrunWarnings } from "./localrun-options.ts";
import { observeRun } from "./observe-run.ts";
import { openFleet } from "./open-fleet.ts";
import { progressFields, showProgress } from "./progress.ts";
import { resolveRefusalPolicy } from "./refusal-options.ts";
import { type Flags, type RequestedSource, readRequestedSource } from "./requested-source.ts";
import { instanceJobs, logSettings, type RunFlags, topicOf } from "./run-jobs.ts";
import { checkRun } from "./run-problems.ts";
import { secretsWarnings } from "./secrets-options.ts";
import { createSourceLogger } from "./source-logger.ts";
import { unknownVariables } from "./unknown-variables.ts";

/** Exit codes of a run that did nothing of which could be told. */
const nothingOpened: ReadonlySet<number> = new Set([exitCodes.usage, exitCodes.plugin]);

/** What a run was asked for with. */
export interface RunRequest {
  readonly flags: RunFlags & Flags;
  /** Knows which of them were given. */
  readonly command: Command;
}

/** A run that was checked, and of which nothing is opened yet. */
export interface RunPlan {
  readonly request: RunRequest;
  /** Completed by what the SourceConfig says. */
  readonly flags: RunFlags & Flags;
  readonly requested: RequestedSource;
  readonly topic: string;
  readonly onRefused: RefusalPolicy;
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
export async function runCommand(request: RunRequest, host: CliHost): Promise<void> {
  host.stop.expectStop(request.flags.dryRun === undefined);
  const plan = await planRun(request, host);
  const { dryRun: count, json = false } = plan.flags;
  if (count !== undefined) return await dryRun(plan.requested, { count, json }, host);
  await executeRun(plan, host.stop, host);
}

/**
 * Reads and checks all that a run needs to be told.
 *
 * @throws InvalidConfigError, UsageError, and the errors of the plugin host.
 */
export async function planRun(request: RunRequest, host: CliHost): Promise<RunPlan> {
  const requested = await readRequestedSource(request.flags, host);
  const { flags, problems } = checkRun(request.command, request.flags, requested);
  if (problems.length > 0) throw invalidConfig(problems, requested);
  const topic = topicOf(requested, flags.dryRun === undefined ? flags.output : "console");
  const onRefused = resolveRefusalPolicy(flags, topic);
  const unused = [
    ...localrunWarnings(flags),
    ...secretsWarnings(flags),
    ...(await unknownVariables(request.command.parent ?? request.command, host.env)),
    ...(flags.json === true ? ["--json has an effect with --dry-run alone"] : []),
  ];
  const broker = await resolveBrokerSettings(flags, host.env);
  host.terminal.hide(secretsOfBroker(broker));
  const logger = createSourceLogger(logSettings(requested, flags, flags.instanceId), logLines(flags, host));
  if (flags.dryRun === undefined) {
    for (const problem of unused) logger.warn({ problem }, "odd setting");
    warn(logger, requested, flags, host);
  }
  return { request, flags, requested, topic, onRefused, broker, logger };
}

/**
 * Runs until `stop` says so, then drains.
 *
 * @throws InstanceFailedError, and HttpPortError.
 */
export async function executeRun(plan: RunPlan, stop: RunStop, host: CliHost): Promise<void> {
  const { flags, requested, topic, onRefused, broker, logger } = plan;
  using _drain = host.stop.drain();
  logProcessWarnings(host.process, logger);
  const parts = { clock: systemClock, logger };
  await using observer = await observeRun(requested, flags, { ...parts, topic, env: host.env });
  const readerLeft = () => stop.stop("standard output was closed");
  host.process.stdout.on("error", readerLeft);
  using _watchdog = host.watchLoop?.(flags.stallTimeout, exitCodes.blocked);
  const jobs = instanceJobs(requested, flags, {
    topic,
    onRefused,
    broker,
    measured: observer.watches,
    hidden: host.terminal.hidden,
  });
  const fleet = openFleet(jobs, {
    ...parts,
    data: host.terminal.dataStream(),
    write: logLines(flags, host),
    process: host.process,
    mask: (text) => host.terminal.masked(text),
    maxRestarts: flags.maxRestarts,
    startTimeoutMs: flags.startTimeout,
  });
  stop.signal.addEventListener("abort", () => {
    logger.info({ reason: toError(stop.signal.reason).message }, "stop requested, draining");
  });
  const ended = new AbortController();
  const snapshot = () => fleet.counts();
  const progress = showProgress({ ...parts, terminal: host.terminal, snapshot }, ended.signal);
  const watching = observer.watch(fleet, ended.signal);
  let started = true;
  try {
    await fleet.run(stop.signal);
  } catch (error) {
    started = !nothingOpened.has(exitCodeOf(error));
    // A reader that goes away, as `| head` does, has what it wanted; what it did not read is not acknowledged.
    if (!hasCode(error, "PIO_CONSOLE_CLOSED")) throw error;
  } finally {
    host.process.stdout.off("error", readerLeft);
    ended.abort(new Error("the run has ended"));
    await Promise.all([progress, watching]);
    if (started) logger.info(progressFields(snapshot()), "run ended");
  }
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
