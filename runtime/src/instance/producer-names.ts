import type { Logger } from "@pulsar-ts-io/core";
import type { Publisher } from "@pulsar-ts-io/pulsar";
import { EarlierProducerError } from "./errors.ts";
import { MovingPublisher } from "./moving-publisher.ts";

/** Who published under the plain partition ids, which earlier releases used as producer names: this source, or another one. */
export type EarlierProducer = "own" | "foreign";

export interface ProducerNames {
  /** Full name of the source, for names that no other source has. `undefined`: partition ids are names already. */
  readonly source: string | undefined;
  /** `undefined`: not known. Records that it matters for are refused. */
  readonly earlier: EarlierProducer | undefined;
}

/** One publisher that is to be opened. */
export interface NamedOpening {
  readonly topic: string;
  readonly partition: string;
  /** The number of the first record that it takes: no later one has a smaller one. */
  readonly first: bigint;
  /** Opens a publisher whose producer has that name. */
  open(producerName: string): Promise<Publisher>;
  /** Stands for `open` until it resolves. */
  later(open: () => Promise<Publisher>): Publisher;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/**
 * Opens the publisher of one partition under its name: the source's full name and the partition id.
 *
 * Earlier releases named it by the partition id alone, which two sources may share. Records up to the last number under that name
 * may be repetitions. They are told from new ones only under the earlier name, and only if it was this source's.
 *
 * - Each partition of the topic has numbers of the new name: the move is complete. The new name is used only after everything was
 *   confirmed that went by the earlier one, so a repeated record is not above the last number of the new one.
 * - The first record is above the last number of the earlier name, or there is no such name: nothing can be repeated.
 * - Else {@link ProducerNames.earlier} decides: the earlier name takes the records up to its last number, or none.
 *
 * At no time are two producers of the partition open, because a topic may limit their number.
 *
 * @throws EarlierProducerError (`PIO_PRODUCER_NAME_IN_DOUBT`) when it matters whose the earlier name is, and nobody said.
 */
export async function openNamed(
  { source, earlier }: ProducerNames,
  opening: NamedOpening,
): Promise<Publisher> {
  const { partition, first, open, logger, topic } = opening;
  if (source === undefined) return await open(partition);
  const name = `${source}/${partition}`;
  const publisher = await open(name);
  const { lastSequenceIds } = publisher;
  const isMoved = lastSequenceIds?.every((id) => id >= 0n) === true;
  if (isMoved || earlier === "foreign") return publisher;
  // The transport cannot report last numbers: without a word of the user a repeated record is better than a lost one.
  if (lastSequenceIds === undefined && earlier === undefined) return publisher;
  await publisher.close();
  const before = await open(partition);
  if (lastSequenceIds === undefined) return before;
  const last = highestOf(before.lastSequenceIds ?? []);
  if (first > last) {
    await before.close();
    return await open(name);
  }
  if (earlier === undefined) {
    await before.close();
    throw inDoubt(opening, last);
  }
  const fields = { topic, partition, lastSequenceId: String(last) };
  logger.info(
    fields,
    "records up to the last number of the producer's earlier name are sent under that name",
  );
  return new MovingPublisher(before, last, {
    signal: opening.signal,
    next: (ready) =>
      opening.later(async () => {
        await ready;
        return await open(name);
      }),
  });
}

function highestOf(ids: readonly bigint[]): bigint {
  let highest = -1n;
  for (const id of ids) if (id > highest) highest = id;
  return highest;
}

function inDoubt({ topic, partition, first }: NamedOpening, last: bigint): EarlierProducerError {
  return new EarlierProducerError(
    `partition ${partition} begins at number ${first}, and ${topic} has numbers up to ${last} of a producer named ${partition}`,
    {
      details: { topic, partition, first: String(first), last: String(last) },
      remedy:
        "if this source published them before an upgrade, start it with --earlier-producer-names own: those are not stored again; if another source did, with --earlier-producer-names foreign",
    },
  );
}
