import { ConnectorError } from "@pulsar-ts-io/core";

/** The connector cannot be packed as it lies there. */
export class PackageError extends ConnectorError {
  readonly code = "PIO_PACKAGE";
  readonly retryable = false;
}
