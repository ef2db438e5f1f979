import { hasCode, isRetryable, type PartitionStatus } from "@pulsar-ts-io/core";
import { type ConsumerHost, type ConsumerOptions, defaultFailoverMs } from "./consumer-options.ts";
import type { FanOutService } from "./fetch/fan-out-service.ts";
import { openRetrieval } from "./fetch/open-retrieval.ts";
import type { ReadBudget } from "./fetch/read-budget.ts";
import type { Retrieval } from "./fetch/shard-reader.ts";
import { type FoundLeases, findLeases } from "./find-leases.ts";
import { JoinedSignal } from "./joined-signal.ts";
import type { Kcl3StateReader } from "./lease/kcl3-state.ts";
import { Kcl3Watch } from "./lease/kcl3-watch.ts";
import type { LeaseTable } from "./lease/lease-table.ts";
import type { ConsumerMetrics } from "./metrics/consumer-metrics.ts";
import { LeaseCreations } from "./metrics/lease-creations.ts";
import type { RecordQueue } from "./record-queue.ts";
import type { KinesisStream } from "./shard/kinesis-stream.ts";
import { compareCreation } from "./shard/stream-identity.ts";
import { Worker } from "./worker.ts";

/** How long a stream may be away that is expected to be created anew: deleting and creating take AWS a minute or two. */
const awayMs = 600_000;
const lookMs = 5_000;

export interface FollowerPlaces {
  readonly stream: KinesisStream;
  readonly fanOut: FanOutService;
  readonly table: LeaseTable;
  readonly kcl3: Kcl3StateReader;
  readonly queue: RecordQueue;
  readonly budget: ReadBudget;
  readonly host: ConsumerHost;
  readonly metrics: ConsumerMetrics;
}

/** What a worker starts with. */
export interface Prepared {
  readonly found: FoundLeases;
  readonly retrieval: Retrieval;
}

/** Reads a stream by its name: where that is wanted, also the one that is created under the name when the first is gone. */
export class StreamFollower {
  readonly #places: FollowerPlaces;
  readonly #options: ConsumerOptions & { readonly failoverMs: number; readonly workerId: string };
  readonly #kcl3: Kcl3Watch;
  #worker: Worker | undefined;
  #released = false;

  constructor(places: FollowerPlaces, options: ConsumerOptions & { readonly workerId: string }) {
    const { failoverMs = defaultFailoverMs } = options;
    const { clock, logger, troubles } = places.host;
    this.#places = places;
    this.#options = { ...options, failoverMs };
    this.#kcl3 = new Kcl3Watch(places.kcl3, { clock, logger, troubles, failoverMs });
  }

  /** Makes what there is ready to be read, once. @returns what {@link run} starts with. */
  async open(signal: AbortSignal): Promise<Prepared> {
    return await this.#prepare(signal);
  }

  /** Works until `stop` aborts; takes and reads until `stopReading` does. */
  async run(prepared: Prepared, stopReading: AbortSignal, stop: AbortSignal): Promise<void> {
    for (let next = prepared; ; ) {
      const worker = this.#hire(next);
      try {
        await worker.run(stopReading, stop);
        return;
      } catch (error) {
        stop.throwIfAborted();
        if (!this.#outlives(error)) throw error;
        using joined = new JoinedSignal(stopReading, stop);
        const then = await this.#startOver(worker, error, { reading: joined.signal, writes: stop });
        // A stream that is the one it was has failed for another reason.
        const sameStream = compareCreation(then.found.stamp.streamCreatedMs, next.found.stamp) === 0;
        if (sameStream && !then.found.reset && hasCode(error, "PIO_STREAM_RECREATED")) throw error;
        if (this.#released) return;
        next = then;
      }
    }
  }

  /** Ends the intake, stores the last checkpoints and gives up every lease. No worker starts after it. */
  async release(signal: AbortSignal): Promise<void> {
    this.#released = true;
    await this.#worker?.release(signal);
  }

  status(): readonly PartitionStatus[] {
    return this.#worker?.status() ?? [];
  }

  #hire({ found, retrieval }: Prepared): Worker {
    const worker = new Worker({ ...this.#places, kcl3: this.#kcl3 }, { ...this.#options, retrieval }, found);
    this.#worker = worker;
    return worker;
  }

  /** The fan-out consumer comes last: it costs money, and is not registered for a table that is refused. */
  async #prepare(signal: AbortSignal): Promise<Prepared> {
    const { stream, fanOut, host, metrics } = this.#places;
    const { onStreamRecreated = "fail", applicationName: tableName, retrieval } = this.#options;
    const { clock, logger } = host;
    const table = new LeaseCreations(this.#places.table, metrics, "ShardSyncTask");
    const options = {
      ...this.#options,
      onStreamRecreated,
      tableName,
      clock,
      logger,
      kcl3: this.#kcl3,
      signal,
    };
    const found = await metrics
      .ofOperation("ShardSyncTask")
      .measure("", "SUMMARY", () => findLeases(stream, table, options));
    return { found, retrieval: await openRetrieval(retrieval, fanOut, host, signal) };
  }

  #outlives(error: unknown): boolean {
    if (this.#options.onStreamRecreated !== "reset") return false;
    return hasCode(error, "PIO_STREAM_RECREATED") || hasCode(error, "PIO_STREAM_NOT_FOUND");
  }

  /** Waits for a stream of the name. The leases are given up first: they are the former stream's, and others look at them, too. */
  async #startOver(
    worker: Worker,
    error: unknown,
    signals: { readonly reading: AbortSignal; readonly writes: AbortSignal },
  ): Promise<Prepared> {
    const { clock, logger } = this.#places.host;
    const { streamName } = this.#options;
    logger.warn({ err: error, streamName }, "the stream is gone, waiting for the one that takes its name");
    await worker.release(signals.writes);
    const deadlineMs = clock.monotonic() + awayMs;
    for (;;) {
      try {
        return await this.#prepare(signals.reading);
      } catch (failure) {
        signals.reading.throwIfAborted();
        const heals = isRetryable(failure) || hasCode(failure, "PIO_STREAM_NOT_FOUND");
        if (!heals || clock.monotonic() >= deadlineMs) throw failure;
        await clock.sleep(lookMs, signals.reading);
      }
    }
  }
}
