import { ConnectorError } from "@pulsar-ts-io/core";

/** The package cannot be made there, or under that name. */
export class CreateError extends ConnectorError {
  readonly code = "PIO_CREATE";
  readonly retryable = false;
}
