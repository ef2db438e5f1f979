import { ConnectorError, type ConnectorErrorOptions } from "@pulsar-ts-io/core";

/** A setting, or a combination of settings, that the schema cannot judge. The message names the setting, never a secret. */
export class KinesisConfigError extends ConnectorError {
  readonly code = "PIO_KINESIS_CONFIG";
  readonly retryable = false;
}

/** There are no credentials: none were found, their source did not answer, or STS refused the role. */
export class KinesisCredentialsError extends ConnectorError {
  readonly code = "PIO_KINESIS_CREDENTIALS";
  readonly retryable: boolean;

  constructor(
    message: string,
    options: Omit<ConnectorErrorOptions, "remedy"> & {
      readonly remedy?: string | undefined;
      readonly retryable: boolean;
    },
  ) {
    const { remedy, ...others } = options;
    super(message, { ...others, ...(remedy === undefined ? {} : { remedy }) });
    this.retryable = options.retryable;
  }
}
