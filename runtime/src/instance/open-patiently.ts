import { Backoff, type Clock, codeOf, hasCode, isRetryable, type Logger } from "@pulsar-ts-io/core";
import type { Publisher, PublisherOptions, Transport } from "@pulsar-ts-io/pulsar";
import { PartitionBusyError } from "./errors.ts";

/**
 * How long another one that has the name may take to let go of it, milliseconds: a broker drops one that is silent after about
 * 5 s. A transport may try for half a minute by itself; there is no second time then.
 */
const busyMs = 25_000;
/** Longest pauses: a name is free all of a sudden, a broker comes back when it comes back. */
const busyBackoffMs = { initialMs: 250, maxMs: 1_000 };
const backoffMs = { initialMs: 250, maxMs: 5_000 };

export interface PatientOpening {
  readonly topic: string;
  readonly publisher: PublisherOptions;
  /** Whether Pulsar was there before: a first opening that fails tells of a wrong address more often than of a restart. */
  readonly reached: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Opens one more publisher in the middle of a run. Publishers that are open wait for a broker as long as it takes; so does this.
 *
 * @throws what waiting does not change; PartitionBusyError (`PIO_PRODUCER_BUSY`) when another one keeps the producer's name.
 */
export async function openPatiently(
  transport: Transport,
  opening: PatientOpening,
  signal: AbortSignal,
): Promise<Publisher> {
  const patience = new Patience(opening);
  for (;;) {
    try {
      return await transport.open(opening.topic, opening.publisher, signal);
    } catch (error) {
      signal.throwIfAborted();
      await opening.clock.sleep(patience.pauseAfter(error), signal);
    }
  }
}

/** How long to wait after each failure of one opening. */
class Patience {
  readonly #opening: PatientOpening;
  readonly #since: number;
  readonly #busyPauses = new Backoff(busyBackoffMs);
  readonly #pauses = new Backoff(backoffMs);
  #said: string | undefined;

  constructor(opening: PatientOpening) {
    this.#opening = opening;
    this.#since = opening.clock.monotonic();
  }

  /** @throws what waiting does not change. */
  pauseAfter(error: unknown): number {
    const { topic, publisher, reached, clock, logger } = this.#opening;
    const isBusy = hasCode(error, "PIO_PRODUCER_BUSY");
    const waitedMs = clock.monotonic() - this.#since;
    if (isBusy && waitedMs >= busyMs) throw busy(topic, publisher.producerName, waitedMs, error);
    if (!(isBusy || (reached && isRetryable(error)))) throw error;
    const code = codeOf(error);
    if (code !== this.#said) logger.warn({ err: error, topic }, "publisher not opened, trying again");
    this.#said = code;
    return (isBusy ? this.#busyPauses : this.#pauses).next();
  }
}

function busy(topic: string, partition: string | undefined, waitedMs: number, cause: unknown): unknown {
  if (partition === undefined) return cause;
  return new PartitionBusyError(
    `another process publishes partition ${partition} to ${topic}, and has not let go of it in ${Math.round(waitedMs / 1_000)} s`,
    {
      cause,
      details: { topic, partition },
      remedy:
        "find the producer of that name in the topic's stats and stop its process, or raise the limit of producers per topic; then start again: nothing is lost",
    },
  );
}
