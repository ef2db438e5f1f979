import { type Clock, IllegalStateError, type Logger, type SourceRecord } from "@pulsar-ts-io/core";
import type { Publisher, PublisherOptions, Transport } from "@pulsar-ts-io/pulsar";
import { openPatiently } from "./open-patiently.ts";
import { OpeningPublisher, WaitingRoom } from "./opening-publisher.ts";
import { type NamedOpening, openNamed, type ProducerNames } from "./producer-names.ts";
import type { OpenPublisher, Publishers } from "./publishers.ts";

/** Java's PRODUCER_CACHE_MAX_SIZE. */
const defaultMaxPublishers = 10_000;
/** What waits for names that others still have, of all partitions. When it is full, reading stops at the next record for one of them. */
const waitingLimits = { messages: 10_000, bytes: 16 * 1_048_576 };

/** Whether a topic keeps a repeated message from being stored twice. */
export interface Deduplication {
  /** @throws a coded error when it does not, or when that cannot be found out. */
  ensure(topic: string, signal: AbortSignal): Promise<void>;
}

export interface PartitionPublishersOptions {
  readonly names: ProducerNames;
  readonly publisher: PublisherOptions;
  /** Absent: every topic is taken to deduplicate. */
  readonly deduplication: Deduplication | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Publishers open at one time; beyond it the longest unused one is closed. Default 10 000. */
  readonly maxPublishers?: number | undefined;
  /** Called with what keeps a publisher from being opened, when waiting does not change it. */
  readonly onFailed: (error: unknown) => void;
}

interface Entry extends OpenPublisher {
  readonly partition: Partition;
  publisher: Publisher;
  released: boolean;
  /** Rises with each use: the lowest is the longest unused one. */
  usedAt: number;
}

/** A partition of the source that is published from here. */
interface Partition {
  readonly id: string;
  readonly entries: Map<string, Entry>;
  /** Aborted when the partition is released, or reading stops: its publishers that are not open yet never will be. */
  readonly leaving: AbortController;
}

/**
 * One publisher for each topic and partition of the source, its producer named after the partition: Pulsar tells repeated messages
 * by the producer's name and the message's sequence id.
 *
 * None is closed for being idle: Pulsar forgets a name's last sequence id some hours after its producer has gone.
 *
 * A name may be another worker's for some seconds yet. Only the records of its partition wait for that.
 */
export class PartitionPublishers implements Publishers {
  readonly #transport: Transport;
  readonly #options: PartitionPublishersOptions;
  readonly #maxPublishers: number;
  readonly #partitions = new Map<string, Partition>();
  /** Partitions being released: their names are free only afterwards. */
  readonly #releasing = new Map<string, Promise<void>>();
  readonly #ensured = new Set<string>();
  readonly #waiting = new WaitingRoom(waitingLimits);
  #count = 0;
  #reached = false;
  #uses = 0;

  constructor(transport: Transport, options: PartitionPublishersOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#maxPublishers = options.maxPublishers ?? defaultMaxPublishers;
  }

  /** Which partitions there are is not known yet: a publisher without a name is opened, and closed again. */
  async prepare(topic: string, signal: AbortSignal): Promise<void> {
    const { publisher, clock, logger } = this.#options;
    const opening = { topic, publisher, reached: this.#reached, clock, logger };
    const trial = await openPatiently(this.#transport, opening, signal);
    await trial.close();
    this.#reached = true;
    await this.#ensureDeduplication(topic, signal);
  }

  find(topic: string, { partitionId = "" }: SourceRecord): OpenPublisher | undefined {
    const entry = this.#partitions.get(partitionId)?.entries.get(topic);
    if (entry === undefined) return undefined;
    this.#uses += 1;
    entry.usedAt = this.#uses;
    return entry;
  }

  /** Does not wait until it is open: {@link OpeningPublisher} stands for it until then. */
  async open(
    topic: string,
    { partitionId = "", recordSequence = 0n }: SourceRecord,
    signal: AbortSignal,
  ): Promise<OpenPublisher | undefined> {
    const partition = this.#partition(partitionId);
    if (this.#count >= this.#maxPublishers) await this.#makeRoom(signal);
    // Released while room was made.
    if (this.#partitions.get(partitionId) !== partition) return undefined;
    const { leaving } = partition;
    const stop = () => leaving.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    this.#uses += 1;
    const open = async () => {
      try {
        return await this.#open(topic, partition, later, recordSequence);
      } finally {
        signal.removeEventListener("abort", stop);
      }
    };
    const failed = (error: unknown) => {
      this.#forget(entry);
      if (!leaving.signal.aborted) this.#options.onFailed(error);
      return undefined;
    };
    const opening = (work: () => Promise<Publisher>, opened: (publisher: Publisher) => void) =>
      new OpeningPublisher(this.#waiting, () => work().catch(failed), opened);
    const later = (work: () => Promise<Publisher>) => opening(work, () => undefined);
    const publisher = opening(open, (opened) => {
      entry.publisher = opened;
    });
    const entry: Entry = { topic, publisher, partition, released: false, inFlight: 0, usedAt: this.#uses };
    partition.entries.set(topic, entry);
    this.#count += 1;
    return entry;
  }

  release(partitionId: string): Promise<void> {
    const partition = this.#partitions.get(partitionId);
    if (partition === undefined) return this.#releasing.get(partitionId) ?? Promise.resolve();
    this.#partitions.delete(partitionId);
    partition.leaving.abort(new IllegalStateError(`partition ${partitionId} was released`));
    const releasing = this.#closeReleased(partition).finally(() => this.#releasing.delete(partitionId));
    this.#releasing.set(partitionId, releasing);
    return releasing;
  }

  /** Nothing to do: a partition that is idle is still ours. */
  sweep(): Promise<void> {
    return Promise.resolve();
  }

  async flush(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#entries().map(({ publisher }) => publisher.flush(signal)));
  }

  async close(): Promise<void> {
    const entries = this.#entries();
    this.#partitions.clear();
    await Promise.allSettled(this.#releasing.values());
    await closeAll(entries);
  }

  async #open(
    topic: string,
    { id, leaving: { signal } }: Partition,
    later: NamedOpening["later"],
    first: bigint,
  ): Promise<Publisher> {
    const { names, logger } = this.#options;
    await this.#releasing.get(id)?.catch(() => undefined); // whoever released it learns of it
    await this.#ensureDeduplication(topic, signal);
    signal.throwIfAborted();
    const open = (name: string) => this.#openProducer(topic, name, signal);
    return await openNamed(names, { topic, partition: id, first, open, later, signal, logger });
  }

  async #openProducer(topic: string, producerName: string, signal: AbortSignal): Promise<Publisher> {
    const { publisher: options, clock, logger } = this.#options;
    const named = { ...options, producerName };
    const opening = { topic, publisher: named, reached: this.#reached, clock, logger };
    const publisher = await openPatiently(this.#transport, opening, signal);
    if (signal.aborted) await publisher.close();
    signal.throwIfAborted();
    this.#reached = true;
    return publisher;
  }

  /** @returns whether it was not forgotten before. */
  #forget({ topic, partition, released }: Entry): boolean {
    if (!partition.entries.delete(topic) || released) return false;
    this.#count -= 1;
    return true;
  }

  #partition(id: string): Partition {
    const known = this.#partitions.get(id);
    if (known !== undefined) return known;
    const partition: Partition = { id, entries: new Map(), leaving: new AbortController() };
    this.#partitions.set(id, partition);
    return partition;
  }

  async #ensureDeduplication(topic: string, signal: AbortSignal): Promise<void> {
    if (this.#ensured.has(topic)) return;
    await this.#options.deduplication?.ensure(topic, signal);
    this.#ensured.add(topic);
  }

  async #closeReleased({ id, entries }: Partition): Promise<void> {
    for (const entry of entries.values()) entry.released = true;
    this.#count -= entries.size;
    this.#options.logger.debug({ partition: id, publishers: entries.size }, "partition released");
    await closeAll([...entries.values()]);
  }

  async #makeRoom(signal: AbortSignal): Promise<void> {
    const oldest = this.#entries().reduce<Entry | undefined>(
      (found, entry) => (found === undefined || isBetter(entry, found) ? entry : found),
      undefined,
    );
    if (oldest === undefined) return;
    if (oldest.inFlight > 0) await oldest.publisher.flush(signal);
    // Released while its records were awaited: then it is closed already.
    if (this.#forget(oldest)) await oldest.publisher.close();
  }

  #entries(): readonly Entry[] {
    return [...this.#partitions.values()].flatMap(({ entries }) => [...entries.values()]);
  }
}

/** Whether `entry` is the better one to close: nothing is in flight, or it is unused for longer. */
function isBetter(entry: Entry, than: Entry): boolean {
  const [busy, thanBusy] = [entry.inFlight > 0, than.inFlight > 0];
  return busy === thanBusy ? entry.usedAt < than.usedAt : thanBusy;
}

async function closeAll(entries: readonly Entry[]): Promise<void> {
  const results = await Promise.allSettled(entries.map((entry) => entry.publisher.close()));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
