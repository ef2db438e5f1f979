import { ConnectorError } from "@pulsar-ts-io/core";

/** A setting, or a combination of settings, that the schema cannot judge. The message names the setting, never a secret. */
export class KinesisConfigError extends ConnectorError {
  readonly code = "PIO_KINESIS_CONFIG";
  readonly retryable = false;
}
