import { ConnectorError } from "@pulsar-ts-io/core";

/** A command line that cannot be understood. */
export class UsageError extends ConnectorError {
  readonly code = "PIO_USAGE";
  readonly retryable = false;
}

/** A file that a flag names cannot be read. */
export class ConfigFileError extends ConnectorError {
  readonly code = "PIO_CONFIG_FILE";
  readonly retryable = false;
}

/** A signal ended a command before it was done. */
export class StoppedError extends ConnectorError {
  readonly code = "PIO_STOPPED";
  readonly retryable = true;
}

/** Something failed where nobody waits for it: a defect of this program or of the connector. */
export class UnexpectedError extends ConnectorError {
  readonly code = "PIO_INTERNAL";
  readonly retryable = false;
}
