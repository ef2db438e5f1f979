import { ConnectorError, codeOf, remedyOf, toError } from "@pulsar-ts-io/core";

/** The part of a run in which it failed. It decides the exit code, whatever the connector calls the failure. */
export type Stage = "pulsar" | "open" | "run" | "close";

const words: Record<Stage, string> = {
  pulsar: "publishing to Pulsar failed",
  open: "the source could not be opened",
  run: "the source failed",
  close: "the source could not be closed",
};

/** An instance ended, and not because it was told to. The cause is what its part threw. */
export class InstanceFailedError extends ConnectorError {
  /** The cause's own code, where it has one of this project's. */
  readonly code: string;
  readonly retryable = false;
  readonly stage: Stage;

  constructor(stage: Stage, cause: unknown) {
    const error = toError(cause);
    const remedy = remedyOf(error);
    super(`${words[stage]}: ${error.message}`, { cause, ...(remedy === undefined ? {} : { remedy }) });
    const code = codeOf(error);
    this.code = code?.startsWith("PIO_") === true ? code : "PIO_INSTANCE_FAILED";
    this.stage = stage;
  }
}

/** The source broke the contract: it returned something that is no record. */
export class SourceContractError extends ConnectorError {
  readonly code = "PIO_SOURCE_CONTRACT";
  readonly retryable = false;
}

/** A record names no topic to publish to, and none is configured. */
export class NoTopicError extends ConnectorError {
  readonly code = "PIO_NO_TOPIC";
  readonly retryable = false;
}

/** A part of the shutdown took longer than it may. */
export class ShutdownTimeoutError extends ConnectorError {
  readonly code = "PIO_SHUTDOWN_TIMEOUT";
  readonly retryable = true;
}

/** Pulsar tells repeated records by their numbers, and this one has none. */
export class UnnumberedRecordError extends ConnectorError {
  readonly code = "PIO_UNNUMBERED_RECORD";
  readonly retryable = false;
}

/** Somebody else publishes a partition that was given to this instance. */
export class PartitionBusyError extends ConnectorError {
  readonly code = "PIO_PRODUCER_BUSY";
  readonly retryable = true;
}

/** The topic would store a repeated record twice. */
export class NotDeduplicatedError extends ConnectorError {
  readonly code = "PIO_NOT_DEDUPLICATED";
  readonly retryable = false;
}

/** It could not be found out whether a topic stores a repeated record twice. */
export class DeduplicationUnknownError extends ConnectorError {
  readonly code = "PIO_DEDUPLICATION_UNKNOWN";
  readonly retryable = true;
}

/** Pulsar refused several records at once, and does not say which of them it meant. */
export class BatchRefusedError extends ConnectorError {
  readonly code = "PIO_BATCH_REFUSED";
  readonly retryable = false;
}

/** A record that was refused could not be kept elsewhere either. */
export class DeadLetterRefusedError extends ConnectorError {
  readonly code = "PIO_DEAD_LETTER_REFUSED";
  readonly retryable = false;
}
