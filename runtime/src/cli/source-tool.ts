import { describeProperties, formatProblem, InvalidConfigError } from "@pulsar-ts-io/config";
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
import type { CliHost } from "./cli-host.ts";
import { type Flags, readRequestedSource } from "./requested-source.ts";
import { StopSignals } from "./stop-signals.ts";

/** A command about a source failed: what the source reads from refused it, or is out of reach. */
class SourceToolError extends ConnectorError {
  /** The cause's own code; `PIO_SOURCE_TOOL` where it has none. */
  readonly code: string;
  readonly retryable = false;
  readonly stage: "open" | "run";

  constructor(message: string, stage: "open" | "run", cause: unknown) {
    const remedy = remedyOf(cause);
    super(message, { cause, ...(remedy === undefined ? {} : { remedy }) });
    this.code = shownCodeOf(cause, "PIO_SOURCE_TOOL");
    this.stage = stage;
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
  const { connector, config, problems, warnings } = await readRequestedSource(flags, host);
  for (const warning of warnings) host.terminal.write(`warning: ${formatProblem(warning)}\n`);
  if (problems.length > 0) throw new InvalidConfigError(problems);
  return { connector, config };
}

/**
 * Lets `use` work until a signal stops it; what it logs goes to standard error as text.
 *
 * @throws PartitionsHeldError (`PIO_PARTITIONS_HELD`) as it is, and SourceToolError for any other failure.
 */
export async function useTool<T>(
  { connector }: ToolSubject,
  host: CliHost,
  use: (context: ToolContext) => Promise<T>,
): Promise<T> {
  using stop = new StopSignals(host.process);
  const sensitive = describeProperties(connector.schema)
    .filter((property) => property.sensitive)
    .map((property) => property.name);
  const logger = createLogger(
    { level: "info", format: "pretty", sensitive, style: host.terminal.style },
    (line) => host.terminal.write(line),
  );
  try {
    return await use({ signal: stop.signal, clock: systemClock, logger });
  } catch (error) {
    if (hasCode(error, "PIO_PARTITIONS_HELD")) throw error;
    const stage = stop.signal.aborted ? "run" : "open";
    throw new SourceToolError(
      `connector ${connector.manifest.name}: ${toError(error).message}`,
      stage,
      error,
    );
  }
}
