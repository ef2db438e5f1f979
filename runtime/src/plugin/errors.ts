import { ConnectorError } from "@pulsar-ts-io/core";

/** No connector has that name, or nothing is at that path. */
export class PluginNotFoundError extends ConnectorError {
  readonly code = "PIO_PLUGIN_NOT_FOUND";
  readonly retryable = false;
}

/** What was given is no directory with a `package.json`: a Java archive, a packed file, an address. */
export class PluginArchiveError extends ConnectorError {
  readonly code = "PIO_PLUGIN_ARCHIVE";
  readonly retryable = false;
}

/** The JSON Schema of the connector's configuration is missing or is no schema. */
export class PluginSchemaError extends ConnectorError {
  readonly code = "PIO_PLUGIN_SCHEMA";
  readonly retryable = false;
}

/** The connector's own module failed while it was imported. */
export class PluginLoadError extends ConnectorError {
  readonly code = "PIO_PLUGIN_LOAD";
  readonly retryable = false;
}

/** The module was imported, but what it exports is not a Source. */
export class PluginContractError extends ConnectorError {
  readonly code = "PIO_PLUGIN_CONTRACT";
  readonly retryable = false;
}

/** The connector has nothing that does what a command is about. */
export class PluginToolMissingError extends ConnectorError {
  readonly code = "PIO_PLUGIN_TOOL_MISSING";
  readonly retryable = false;
}
