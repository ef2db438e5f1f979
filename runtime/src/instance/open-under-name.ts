import { Backoff, type Clock, hasCode, type Logger } from "@pulsar-ts-io/core";
import type { Publisher, PublisherOptions, Transport } from "@pulsar-ts-io/pulsar";
import { PartitionBusyError } from "./errors.ts";

/** How long the one that has the name may take to let go of it: a broker drops one that is silent after about 5 s. */
const busyMs = 30_000;
const busyBackoffMs = { initialMs: 250, maxMs: 1_000 };

export interface NamedOpening {
  readonly topic: string;
  /** The producer's name. */
  readonly name: string;
  readonly publisher: PublisherOptions;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Opens a publisher whose producer has the name of a partition. While another connection holds that name, it is tried again.
 *
 * @throws PartitionBusyError (`PIO_PRODUCER_BUSY`) when the other one keeps it; whatever else keeps the topic from being published to.
 */
export async function openUnderName(
  transport: Transport,
  { topic, name, publisher, clock, logger }: NamedOpening,
  signal: AbortSignal,
): Promise<Publisher> {
  const options = { ...publisher, producerName: name };
  const backoff = new Backoff(busyBackoffMs);
  const deadline = clock.monotonic() + busyMs;
  for (;;) {
    try {
      return await transport.open(topic, options, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!hasCode(error, "PIO_PRODUCER_BUSY")) throw error;
      if (clock.monotonic() >= deadline) throw busy(topic, name, error);
      if (backoff.attempts === 0)
        logger.info({ topic, partition: name }, "partition still published by another, waiting for it");
      await clock.sleep(backoff.next(), signal);
    }
  }
}

function busy(topic: string, name: string, cause: unknown): PartitionBusyError {
  return new PartitionBusyError(
    `another process publishes partition ${name} to ${topic}, and has not let go of it in ${busyMs / 1_000} s`,
    {
      cause,
      details: { topic, partition: name },
      remedy:
        "find the producer of that name in the topic's stats and stop its process, or raise the limit of producers per topic; then start again: nothing is lost",
    },
  );
}
