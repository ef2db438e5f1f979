import { ConnectorError, type ConnectorErrorOptions } from "@pulsar-ts-io/core";
import { type ConfigProblem, formatProblem } from "./problem.ts";

/** A config text is no JSON or YAML, or no mapping. The message names origin, line and column, never the text itself. */
export class ConfigSyntaxError extends ConnectorError {
  readonly code = "PIO_CONFIG_SYNTAX";
  readonly retryable = false;
}

/** A config was understood and is not valid. Carries every problem, not the first one. */
export class InvalidConfigError extends ConnectorError {
  readonly code = "PIO_INVALID_CONFIG";
  readonly retryable = false;
  readonly problems: readonly ConfigProblem[];

  /** @param problems at least one. */
  constructor(problems: readonly ConfigProblem[], options: ConnectorErrorOptions = {}) {
    super(`the config is not valid: ${describe(problems)}`, {
      remedy: "correct it as said above; `pulsar-ts-io connectors describe <name>` lists all there are",
      ...options,
    });
    this.problems = problems;
  }
}

/** A connector's schema is not a JSON Schema: a defect of the connector, not of the config. */
export class ConfigSchemaError extends ConnectorError {
  readonly code = "PIO_CONFIG_SCHEMA";
  readonly retryable = false;
}

/** A property table cannot be turned into a schema. The message names table, row and cell. */
export class PropertyTableError extends ConnectorError {
  readonly code = "PIO_PROPERTY_TABLE";
  readonly retryable = false;
}

/** A connector's package names no manifest, or its manifest cannot be read or lacks something. */
export class PluginManifestError extends ConnectorError {
  readonly code = "PIO_PLUGIN_MANIFEST";
  readonly retryable = false;
}

/** The connector was written for another version of the contract. */
export class PluginApiVersionError extends ConnectorError {
  readonly code = "PIO_PLUGIN_API_VERSION";
  readonly retryable = false;
}

/** One problem fits on the line of the error; several stand below it. */
function describe(problems: readonly ConfigProblem[]): string {
  const [first] = problems;
  if (problems.length === 1 && first !== undefined) return formatProblem(first);
  return `${problems.length} problems${problems.map((problem) => `\n  - ${formatProblem(problem)}`).join("")}`;
}
