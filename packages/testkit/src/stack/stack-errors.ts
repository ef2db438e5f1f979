import { ConnectorError } from "@pulsar-ts-io/core";

/** This machine lacks something that a part of the local stack needs; the remedy names it. */
export class StackPartMissingError extends ConnectorError {
  readonly code = "PIO_STACK_PART_MISSING";
  readonly retryable = false;
}

/** A part of the local stack could not be fetched from its registry. Nothing half fetched is kept. */
export class StackFetchError extends ConnectorError {
  readonly code = "PIO_STACK_FETCH_FAILED";
  readonly retryable = true;
}

/** A part of the local stack was started and did not come up; the message ends with the last lines it printed. */
export class StackStartError extends ConnectorError {
  readonly code = "PIO_STACK_START_FAILED";
  readonly retryable = false;
}

/** A part of the local stack refused a request that sets up a test. */
export class StackRequestError extends ConnectorError {
  readonly code = "PIO_STACK_REQUEST_FAILED";
  readonly retryable = false;
}
