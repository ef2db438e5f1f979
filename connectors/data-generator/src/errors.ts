import { ConnectorError } from "@pulsar-ts-io/core";

/** A setting that the schema cannot judge. The message names the setting. */
export class DataGeneratorConfigError extends ConnectorError {
  readonly code = "PIO_DATA_GENERATOR_CONFIG";
  readonly retryable = false;
}
