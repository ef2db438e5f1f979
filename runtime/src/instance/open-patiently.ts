import {
  Backoff,
  type Clock,
  ConnectorError,
  codeOf,
  hasCode,
  isRetryable,
  type Logger,
} from "@pulsar-ts-io/core";
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
 * Opens a publisher. Once Pulsar was reached, this waits for a broker that is away as long as it takes, as open publishers do; a
 * broker that is at a limit was reached.
 *
 * @throws what waiting does not change; PartitionBusyError (`PIO_PRODUCER_BUSY`) when another process keeps the producer's name.
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
    const isWaitedFor = hasCode(error, "PIO_BROKER_LIMIT") || (reached && isRetryable(error));
    if (!(isBusy || isWaitedFor)) throw error;
    const code = codeOf(error);
    if (code !== this.#said) logger.warn({ err: error, topic }, "publisher not opened, trying again");
    this.#said = code;
    return (isBusy ? this.#busyPauses : this.#pauses).next();
  }
}

/** @param cause what the last attempt failed with. */
function busy(topic: string, partition: string | undefined, waitedMs: number, cause: unknown): unknown {
  const details = cause instanceof ConnectorError ? cause.details : {};
  // The topic is held as a whole: no producer of the partition's name need be there.
  if (partition === undefined || details["holder"] !== undefined) return cause;
  const waited = `${Math.round(waitedMs / 1_000)} s`;
  const find = "find the producer of that name with pulsar-admin topics stats, and stop its process";
  if (details["nameTaken"] !== true) {
    // Only the wire transport knows the broker's own sentence.
    return new PartitionBusyError(
      `no producer for partition ${partition} on ${topic}: its name was in use, or the topic at its limit of producers, for ${waited}`,
      { cause, details: { topic, partition }, remedy: `${find}; or raise maxProducersPerTopic` },
    );
  }
  return new PartitionBusyError(
    `another process publishes partition ${partition} to ${topic}, and did not release its producer name in ${waited}`,
    {
      cause,
      details: { topic, partition },
      remedy: `${find}; then start again: no record is lost`,
    },
  );
}
