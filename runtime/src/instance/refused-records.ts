import type { ConnectorError, Logger, SourceRecord } from "@pulsar-ts-io/core";
import type { DeadLetters, DeadLettersHost } from "./dead-letters.ts";
import { BatchRefusedError } from "./errors.ts";
import { acknowledge } from "./record-delivery.ts";
import { RefusalLog } from "./refusal-log.ts";
import { isAboutOneMessage, isAboutTheTopic } from "./refusal-policy.ts";
import { RefusedRecordError } from "./refused-record-error.ts";

export interface RefusedRecordsOptions {
  /** Whether records that are refused one by one are passed over. */
  readonly skip: boolean;
  /** Where they go instead; absent: nowhere. */
  readonly letters: DeadLetters | undefined;
  /** Where records go that name no destination. */
  readonly topic: string | undefined;
  readonly logger: Logger;
}

/** Decides what becomes of each record that Pulsar refused for good. */
export class RefusedRecords {
  readonly #host: DeadLettersHost;
  readonly #options: RefusedRecordsOptions;
  readonly #log: RefusalLog;
  #last: ConnectorError | undefined;
  #hasFailed = false;

  constructor(host: DeadLettersHost, options: RefusedRecordsOptions) {
    this.#host = host;
    this.#options = options;
    this.#log = new RefusalLog(host.clock, options.logger);
  }

  refused(error: ConnectorError, record: SourceRecord): void {
    this.#last = error;
    const { letters, skip, topic } = this.#options;
    const { guarantee, settling } = this.#host;
    if ((letters !== undefined || skip) && isAboutOneMessage(error)) {
      if (isBatch(error)) this.#fail(batchRefused(error));
      else if (letters !== undefined)
        this.#deadLetter(letters, record, record.destinationTopic ?? topic, error);
      else this.#skip(record, error);
    } else if (guarantee === "ATMOST_ONCE" && !isAboutTheTopic(error)) {
      this.#log.refused(record, error, "record not published, and not tried again");
    } else if (record.fail === undefined || guarantee === "ATMOST_ONCE" || guarantee === "MANUAL") {
      this.#fail(named(error, record));
    } else if (settling) {
      record.fail(named(error, record));
    }
  }

  /** Whether a source passes on what its record was refused with, perhaps wrapped: then it did not fail by itself. */
  isCause(error: Error): boolean {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      if (cause === this.#last) return true;
    }
    return false;
  }

  #skip(record: SourceRecord, error: ConnectorError): void {
    this.#host.counters.skipped += 1;
    this.#log.refused(record, error, "record refused, and passed over");
    acknowledge(this.#host, record);
  }

  #deadLetter(
    letters: DeadLetters,
    record: SourceRecord,
    topic: string | undefined,
    error: ConnectorError,
  ): void {
    this.#log.refused(record, error, "record refused, sent to the dead-letter topic");
    letters.send(record, topic, error, this.#host);
  }

  /** Once: each message of a batch comes here. */
  #fail(error: ConnectorError): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#host.fail(error);
  }
}

/** Whether the broker refused more than one message at once: which of them was meant it does not say. */
function isBatch({ details }: ConnectorError): boolean {
  const { messages } = details;
  return typeof messages === "number" && messages > 1;
}

/** The source, the log and the user learn which record it was, where that is known. */
function named(error: ConnectorError, record: SourceRecord): ConnectorError {
  return isAboutOneMessage(error) && !isBatch(error) ? new RefusedRecordError(error, record) : error;
}

function batchRefused(cause: ConnectorError): BatchRefusedError {
  return new BatchRefusedError(`a batch was refused, and not a record by itself: ${cause.message}`, {
    cause,
    details: cause.details,
    remedy:
      "a topic's limit holds for a batch as for a message: set batchingMaxBytes of producerConfig.batchingConfig below it, or enabled: false",
  });
}
