import {
  type Clock,
  type Counter,
  type PartitionStatus,
  runTogether,
  type StartPosition,
} from "@pulsar-ts-io/core";
import { describeCheckpoint, initialCheckpoint } from "./checkpoint.ts";
import type { ReadBudget } from "./fetch/read-budget.ts";
import { JobGroup } from "./job-group.ts";
import { aborted, JoinedSignal } from "./joined-signal.ts";
import type { ConsumerHost } from "./kinesis-consumer.ts";
import type { Lease, StreamStamp } from "./lease/lease.ts";
import { LeaseCoordinator } from "./lease/lease-coordinator.ts";
import type { LeaseTable } from "./lease/lease-table.ts";
import { LeaseTaker, latestSlackMs } from "./lease/lease-taker.ts";
import { OutageLog } from "./outage-log.ts";
import type { RecordQueue } from "./record-queue.ts";
import { retryBriefly } from "./retry-briefly.ts";
import { AckWindow } from "./shard/ack-window.ts";
import type { KinesisStream } from "./shard/kinesis-stream.ts";
import type { ShardId } from "./shard/shard.ts";
import { ShardConsumer, type ShardLife } from "./shard/shard-consumer.ts";
import { ShardProgress } from "./shard/shard-progress.ts";

const defaultFailoverMs = 10_000;
/** While opening: how long what may heal is tried again. */
const openRetryMs = 5_000;

export interface WorkerPlaces {
  readonly stream: KinesisStream;
  readonly table: LeaseTable;
  readonly queue: RecordQueue;
  readonly budget: ReadBudget;
  readonly host: ConsumerHost;
}

export interface WorkerOptions {
  readonly workerId: string;
  readonly instanceId: string;
  readonly streamName: string;
  readonly initialPosition: StartPosition;
  readonly idleMs: number;
  readonly checkpointIntervalMs: number;
  readonly backoffMs: number;
  readonly checkpointAttempts: number;
  readonly failoverMs?: number;
}

/** What was found, or made, before anything was taken. */
interface Opening {
  readonly stamp: StreamStamp;
  readonly leases: readonly Lease[];
  /** Monotonic milliseconds, when `leases` had been read. */
  readonly scannedMs: number;
}

/**
 * Finds the stream and the table, and creates what is missing of the table and its leases.
 *
 * The table is created only after the stream was found: a misspelt name leaves nothing behind.
 */
export async function openWorker(
  places: WorkerPlaces,
  options: WorkerOptions,
  signal: AbortSignal,
): Promise<Worker> {
  const { stream, table, host } = places;
  const { clock } = host;
  const retry = <T>(attempt: () => Promise<T>) =>
    retryBriefly(clock, { forMs: openRetryMs, signal }, attempt);
  const [ready, , streamCreatedMs] = await Promise.all([
    retry(() => table.ready(signal)),
    retry(() => stream.listShards(undefined, signal)),
    retry(() => stream.createdMs(signal)),
  ]);
  const startTimeMs =
    options.initialPosition.kind === "latest" ? stream.serviceTimeMs() - latestSlackMs : undefined;
  const stamp = { streamName: options.streamName, streamCreatedMs };
  if (!ready) await retry(() => table.ensure(signal));
  let leases = await retry(() => table.list({ consistent: true }, signal));
  if (leases.length === 0) {
    const shards = await retry(() => stream.listShards(options.initialPosition, signal));
    const checkpoint = initialCheckpoint(options.initialPosition);
    await retry(() =>
      table.create(
        shards.map((shard) => ({ ...shard, checkpoint, startTimeMs })),
        stamp,
        signal,
      ),
    );
    leases = await retry(() => table.list({ consistent: true }, signal));
  }
  return new Worker(places, options, { stamp, leases, scannedMs: clock.monotonic() });
}

/** The running part of a consumer: leases, their takers and their readers. */
export class Worker {
  readonly #places: WorkerPlaces;
  readonly #options: WorkerOptions;
  readonly #clock: Clock;
  readonly #coordinator: LeaseCoordinator;
  readonly #taker: LeaseTaker;
  readonly #readers = new JobGroup();
  readonly #consumers = new Map<ShardId, ShardConsumer>();
  readonly #intakeStop = new AbortController();
  readonly #reading: OutageLog;
  readonly #records: Counter;
  readonly #bytes: Counter;
  readonly #throttles: Counter;
  readonly #expiredIterators: Counter;

  constructor(places: WorkerPlaces, options: WorkerOptions, opening: Opening) {
    const { table, stream, host } = places;
    const { clock, meter } = host;
    const logger = host.logger.child({ workerId: options.workerId, stream: options.streamName });
    const failoverMs = options.failoverMs ?? defaultFailoverMs;
    this.#places = places;
    this.#options = options;
    this.#clock = clock;
    this.#coordinator = new LeaseCoordinator(table, logger, {
      ...options,
      clock,
      meter,
      failoverMs,
      random: Math.random,
    });
    const takerHost = {
      isHeld: (id: ShardId) => this.#coordinator.get(id) !== undefined,
      taken: (lease: Lease, takenMs: number) => this.#start(lease, takenMs),
      serviceTimeMs: () => stream.serviceTimeMs(),
    };
    this.#taker = new LeaseTaker(table, takerHost, {
      ...options,
      clock,
      logger,
      failoverMs,
      stamp: opening.stamp,
      outage: new OutageLog(logger, "the lease table"),
    });
    this.#taker.scanned(opening.leases, opening.scannedMs);
    this.#reading = new OutageLog(logger, "reading from Kinesis");
    const labels = { stream: options.streamName };
    this.#records = meter.counter("pulsar_ts_io_kinesis_records_read_total", "Records read", labels);
    this.#bytes = meter.counter("pulsar_ts_io_kinesis_read_bytes_total", "Payload bytes read", labels);
    this.#throttles = meter.counter(
      "pulsar_ts_io_kinesis_reads_throttled_total",
      "Reads Kinesis throttled",
      labels,
    );
    this.#expiredIterators = meter.counter(
      "pulsar_ts_io_kinesis_iterators_expired_total",
      "Shard iterators that expired",
      labels,
    );
  }

  /** Works until `stop` aborts; takes and reads until `stopReading` does. */
  async run(stopReading: AbortSignal, stop: AbortSignal): Promise<void> {
    await runTogether(stop, [
      (signal) => this.#coordinator.run(signal),
      (signal) => this.#intake(stopReading, signal),
    ]);
  }

  /** Ends the intake, stores the last checkpoints and gives up every lease. */
  async release(signal: AbortSignal): Promise<void> {
    this.#intakeStop.abort(new Error("the consumer is closing"));
    await Promise.all(this.#coordinator.leases.map((held) => this.#releasePartition(held.lease.shardId)));
    await this.#coordinator.releaseAll(signal);
  }

  status(): readonly PartitionStatus[] {
    const now = this.#clock.monotonic();
    return this.#coordinator.leases.map((held) => ({
      id: held.lease.shardId,
      owner: this.#options.workerId,
      lagMs: this.#consumers.get(held.lease.shardId)?.millisBehindLatest,
      position: describeCheckpoint(held.lease.checkpoint),
      checkpointAgeMs: now - held.renewedMs,
      finished: held.lease.checkpoint.kind === "shard-end",
    }));
  }

  async #intake(stopReading: AbortSignal, stop: AbortSignal): Promise<void> {
    using joined = new JoinedSignal(stopReading, this.#intakeStop.signal, stop);
    const { signal } = joined;
    try {
      await runTogether(signal, [
        (reading) => this.#taker.run(reading, stop),
        (reading) => this.#readers.run(reading),
      ]);
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
    }
    await aborted(stop);
  }

  #start(lease: Lease, takenMs: number): void {
    const { queue, budget, stream } = this.#places;
    const window = new AckWindow();
    const progress = new ShardProgress(window, lease.checkpoint);
    const held = this.#coordinator.hold(lease, takenMs, progress);
    const consumer = new ShardConsumer(
      held,
      { window, queue },
      {
        ...this.#options,
        clock: this.#clock,
        budget,
        outage: this.#reading,
        meter: {
          throttled: () => this.#throttles.add(1),
          iteratorExpired: () => this.#expiredIterators.add(1),
        },
        random: Math.random,
        count: (records, bytes) => {
          this.#records.add(records);
          this.#bytes.add(bytes);
        },
      },
    );
    this.#consumers.set(lease.shardId, consumer);
    held.signal.addEventListener("abort", () => {
      window.close();
      queue.sweep();
      if (this.#consumers.get(lease.shardId) === consumer) this.#consumers.delete(lease.shardId);
      if (!this.#intakeStop.signal.aborted) void this.#releasePartition(lease.shardId);
    });
    const life: ShardLife = {
      parentsFinished: () => Promise.resolve(),
      finish: async (mine, _end, signal) => {
        await this.#coordinator.finish(mine, { kind: "shard-end" }, signal);
      },
    };
    this.#readers.start((signal) => consumer.run(stream, life, signal));
  }

  async #releasePartition(id: ShardId): Promise<void> {
    try {
      await this.#places.host.releasePartition(id);
    } catch (error) {
      this.#places.host.logger.warn({ err: error, shardId: id }, "releasing a partition failed");
    }
  }
}
