import { ConnectorError, codeOf, remedyOf, toError } from "@pulsar-ts-io/core";

/** The part of a run in which it failed. It decides the exit code, whatever the connector calls the failure. */
export type Stage = "pulsar" | "open" | "run" | "close";

const words: Record<Stage, string> = {
  pulsar: "publishing to Pulsar failed",
  open: "the source could not be opened",
  run: "the source failed",
  close: "the source could not be closed",
};

/** The code of a failure whose cause has none. */
const noCode = "PIO_INSTANCE_FAILED";

/** One line that can be printed. Longer texts are no identifiers. */
const printableCode = /^[^\p{C}\p{Z}]{1,100}$/u;

/**
 * The code that `error` brought with it: this project's, its connector's own, or one of Node or a library. It never decides the
 * exit code of a run.
 *
 * @param otherwise where it has none that can be shown.
 */
export function shownCodeOf(error: unknown, otherwise: string): string {
  const code = codeOf(error);
  return code !== undefined && printableCode.test(code) ? code : otherwise;
}

/** The message of `error` and, where it has one of its own, its code: what a status shows. */
export function messageWithCode(error: Error, maxCharacters: number = Number.POSITIVE_INFINITY): string {
  const code = shownCodeOf(error, noCode);
  const suffix = code === noCode ? "" : ` [${code}]`;
  return error.message.slice(0, maxCharacters - suffix.length) + suffix;
}

/** An instance ended, and not because it was told to. The cause is what its part threw. */
export class InstanceFailedError extends ConnectorError {
  /** The cause's own code; `PIO_INSTANCE_FAILED` where it has none. */
  readonly code: string;
  readonly retryable = false;
  readonly stage: Stage;
  /**
   * The failure that kept the instance from draining its records or from closing its source; it may be this error itself.
   * `undefined`: everything was drained and closed. Set when the instance ends.
   */
  undone: InstanceFailedError | undefined;

  constructor(stage: Stage, cause: unknown) {
    const error = toError(cause);
    const remedy = remedyOf(error);
    super(`${words[stage]}: ${error.message}`, { cause, ...(remedy === undefined ? {} : { remedy }) });
    this.code = shownCodeOf(error, noCode);
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

/** Records may be repetitions of what another source published, or new: their producer's earlier name does not say which. */
export class EarlierProducerError extends ConnectorError {
  readonly code = "PIO_PRODUCER_NAME_IN_DOUBT";
  readonly retryable = false;
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
