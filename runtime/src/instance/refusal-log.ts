import type { Clock, Logger, SourceRecord } from "@pulsar-ts-io/core";

/** Between two lines of one kind; what comes meanwhile is counted. */
const everyMs = 10_000;

/** Says that records were refused: the first at once, of what follows how many there were, every ten seconds at most. */
export class RefusalLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #saidAt = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** @param line the same for all records of one log. */
  refused(record: SourceRecord, error: Error, line: string): void {
    this.#unsaid += 1;
    const now = this.#clock.monotonic();
    if (now - this.#saidAt < everyMs) return;
    const { partitionId: partition, recordSequence } = record;
    const fields = { err: error, partition, sequence: recordSequence?.toString(), records: this.#unsaid };
    this.#saidAt = now;
    this.#unsaid = 0;
    this.#logger.warn(fields, line);
  }
}
