import { ConnectorError, type ConnectorErrorOptions } from "@pulsar-ts-io/core";

/** A setting, or a combination of settings, that the schema cannot judge. The message names the setting, never a secret. */
export class KinesisConfigError extends ConnectorError {
  readonly code = "PIO_KINESIS_CONFIG";
  readonly retryable = false;
}

/** Nobody gave credentials: none were found, or STS did not let the role be assumed. */
export class KinesisCredentialsError extends ConnectorError {
  readonly code = "PIO_KINESIS_CREDENTIALS";
  readonly retryable: boolean;

  constructor(message: string, options: ConnectorErrorOptions & { readonly retryable: boolean }) {
    super(message, options);
    this.retryable = options.retryable;
  }
}
