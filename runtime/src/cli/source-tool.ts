import { describeProperties, formatProblem } from "@pulsar-ts-io/config";
import {
  ConnectorError,
  hasCode,
  remedyOf,
  systemClock,
  type ToolContext,
  toError,
} from "@pulsar-ts-io/core";
import { shownCodeOf } from "../instance/errors.ts";
import { createLogger } from "../logging/pino-logger.ts";
import type { ConnectorPackage } from "../plugin/connector-package.ts";
import { type LoadedTools, loadTool, type ToolName } from "../plugin/load-tools.ts";
import { AnswerLimit } from "./answer-limit.ts";
import type { CliHost } from "./cli-host.ts";
import { exitCodes } from "./exit-codes.ts";
import { invalidConfig } from "./invalid-config.ts";
import { type Flags, readRequestedSource } from "./requested-source.ts";

/** How long a tool may take: for all it does, or for each result of one that yields results. `--help` states the same. */
const limitsMs: Readonly<Record<ToolName, number>> = {
  check: 60_000,
  partitions: 60_000,
  peek: 60_000,
  reset: 300_000,
};
/** How long a tool may compute without a pause. */
const blockedMs = 10_000;

/** A command about a source failed: what the source reads from refused it, or is out of reach. */
class SourceToolError extends ConnectorError {
  /** The cause's own code; `PIO_SOURCE_TOOL` where it has none. */
  readonly code: string;
  readonly retryable = false;
  readonly stage = "open";

  constructor(message: string, cause: unknown) {
    const remedy = remedyOf(cause);
    super(message, { cause, ...(remedy === undefined ? {} : { remedy }) });
    this.code = shownCodeOf(cause, "PIO_SOURCE_TOOL");
  }
}

/** A source that a command is about, and is not going to run. */
export interface ToolSubject {
  readonly connector: ConnectorPackage;
  /** Complete and valid. */
  readonly config: unknown;
}

/** @throws InvalidConfigError (`PIO_INVALID_CONFIG`), UsageError, and the errors of the plugin host. */
export async function readToolSubject(flags: Flags, host: CliHost): Promise<ToolSubject> {
  const requested = await readRequestedSource(flags, host);
  const { connector, config, problems, warnings } = requested;
  for (const warning of warnings) host.terminal.write(`warning: ${formatProblem(warning)}\n`);
  if (problems.length > 0) throw invalidConfig(problems, requested);
  return { connector, config };
}

/** What a command needs for its tool. */
export interface ToolUse<N extends ToolName> {
  readonly tools: LoadedTools<N>;
  readonly context: ToolContext;
  /** To be called for each result: the time for the next one starts. */
  answered(what: string): void;
}

/**
 * Loads a tool of the connector and lets `use` work with it, until a signal stops it or the tool does not answer for its limit. What it
 * logs goes to standard error as text.
 *
 * @throws PluginToolMissingError (`PIO_PLUGIN_TOOL_MISSING`) and PartitionsHeldError (`PIO_PARTITIONS_HELD`) as they are, the reason of
 * the stop, and SourceToolError for any other failure.
 */
export async function useTool<N extends ToolName, T>(
  { connector }: ToolSubject,
  host: CliHost,
  name: N,
  use: (tool: ToolUse<N>) => Promise<T>,
): Promise<T> {
  const { signal } = host.stop;
  const tools = await loadTool(connector, name, { signal });
  using _watchdog = host.watchLoop?.(blockedMs, exitCodes.blocked);
  const sensitive = describeProperties(connector.schema)
    .filter((property) => property.sensitive)
    .map((property) => property.name);
  const logger = createLogger(
    { level: "info", format: "pretty", sensitive, style: host.terminal.style },
    (line) => host.terminal.write(line),
  );
  const limit = new AnswerLimit(systemClock, name, limitsMs[name]);
  const answered = (what: string) => limit.answered(what);
  try {
    return await limit.run(
      (stop) => use({ tools, answered, context: { signal: stop, clock: systemClock, logger } }),
      signal,
    );
  } catch (error) {
    if (hasCode(error, "PIO_PARTITIONS_HELD")) throw error;
    signal.throwIfAborted();
    throw new SourceToolError(`connector ${connector.manifest.name}: ${toError(error).message}`, error);
  }
}
