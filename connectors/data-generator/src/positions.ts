import type { Clock, Logger, Outage, StateStore, Troubles } from "@pulsar-ts-io/core";
import type { Partition } from "./partition.ts";
import { partitionName } from "./record-maker.ts";

const storeEveryMs = 1_000;

/** The stored positions of an instance's partitions: under each partition's name, the sequence to go on from. */
export class Positions {
  readonly #store: StateStore;
  readonly #partitions: readonly Partition[];
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #outage: Outage;
  readonly #stored = new Map<Partition, number>();
  /** When each partition's position was last as it should be. */
  readonly #storedAtMs = new Map<Partition, number>();

  constructor(
    store: StateStore,
    partitions: readonly Partition[],
    {
      clock,
      logger,
      troubles,
    }: { readonly clock: Clock; readonly logger: Logger; readonly troubles: Troubles },
  ) {
    this.#store = store;
    this.#partitions = partitions;
    this.#clock = clock;
    this.#logger = logger;
    this.#outage = troubles.of("storing positions", { blocking: false });
    for (const partition of partitions) this.#storedAtMs.set(partition, clock.monotonic());
  }

  /** Milliseconds since the position of `partition` was stored, or there was nothing to store. */
  ageMs(partition: Partition): number {
    return this.#clock.monotonic() - (this.#storedAtMs.get(partition) ?? 0);
  }

  /** Sets the partitions to where they were left. */
  async load(): Promise<void> {
    for (const partition of this.#partitions) {
      const bytes = await this.#store.get(partitionName(partition.number));
      if (bytes === undefined) continue;
      const position = Number(Buffer.from(bytes).toString("utf8"));
      // Not ours, or damaged: to begin anew repeats data, which test data may.
      if (!Number.isSafeInteger(position) || position < 0) {
        this.#logger.warn({ partition: partition.number }, "stored position is none, beginning anew");
        continue;
      }
      partition.resume(position);
      this.#stored.set(partition, position);
    }
  }

  /** Stores every second what has changed, until `signal` aborts. A failure is tried again a second later. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(storeEveryMs, signal);
      try {
        await this.store();
        this.#outage.recovered("positions");
      } catch (error) {
        this.#outage.failed("positions", error);
      }
    }
  }

  /** Stores what has changed. */
  async store(): Promise<void> {
    for (const partition of this.#partitions) {
      const { safe } = partition;
      const atMs = this.#clock.monotonic();
      if (safe !== (this.#stored.get(partition) ?? 0)) {
        await this.#store.put(partitionName(partition.number), Buffer.from(String(safe)));
        this.#stored.set(partition, safe);
      }
      this.#storedAtMs.set(partition, atMs);
    }
  }
}
