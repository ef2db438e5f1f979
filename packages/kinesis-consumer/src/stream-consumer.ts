import { randomBytes } from "node:crypto";
import { crowdedController, IllegalStateError, type PartitionStatus, toError } from "@pulsar-ts-io/core";
import { type ConsumerHost, type ConsumerOptions, checkOptions } from "./consumer-options.ts";
import type { FanOutService } from "./fetch/fan-out-service.ts";
import { ReadBudget } from "./fetch/read-budget.ts";
import { JoinedSignal, unlessAborted } from "./joined-signal.ts";
import type { KinesisRecord } from "./kinesis-record.ts";
import type { Kcl3StateReader } from "./lease/kcl3-state.ts";
import type { LeaseTable } from "./lease/lease-table.ts";
import { ConsumerMetrics } from "./metrics/consumer-metrics.ts";
import { MeasuredFanOut } from "./metrics/measured-fan-out.ts";
import { MeasuredKinesisStream } from "./metrics/measured-kinesis-stream.ts";
import type { MetricSink } from "./metrics/metric-sink.ts";
import { RecordQueue } from "./record-queue.ts";
import type { KinesisStream } from "./shard/kinesis-stream.ts";
import { type Prepared, StreamFollower } from "./stream-follower.ts";

/** Longest time that {@link StreamConsumer.close} takes, milliseconds. */
const closeWithinMs = 15_000;

/** Where the records are and where the leases are kept. */
export interface ConsumerPorts {
  readonly stream: KinesisStream;
  readonly table: LeaseTable;
  /** Where metrics go; absent: nowhere. */
  readonly sink?: MetricSink | undefined;
}

/** And where subscriptions are to be had, and who else is there. */
interface ReadingPorts extends ConsumerPorts {
  readonly fanOut: FanOutService;
  readonly kcl3: Kcl3StateReader;
}

/**
 * One worker of a KCL application: takes leases, reads their shards, stores what was acknowledged.
 *
 * `open` once, `read` from one loop, `close` once, also after a failed `open`.
 */
export class StreamConsumer implements AsyncDisposable {
  readonly #host: ConsumerHost;
  readonly #workerId: string;
  readonly #metrics: ConsumerMetrics;
  readonly #queue: RecordQueue;
  readonly #follower: StreamFollower;
  readonly #stop = new AbortController();
  #opening: Promise<Prepared> | undefined;
  #running: Promise<void> | undefined;
  #publishing: Promise<void> | undefined;
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(ports: ReadingPorts, host: ConsumerHost, options: ConsumerOptions) {
    checkOptions(options);
    const { clock, logger, troubles } = host;
    this.#metrics = new ConsumerMetrics(ports.sink, {
      clock,
      logger,
      troubles,
      level: options.metricsLevel ?? "DETAILED",
      workerIdentifier: options.instanceId,
    });
    this.#host = host;
    this.#workerId = `${options.instanceId}-${randomBytes(4).toString("hex")}`;
    const budget = new ReadBudget({
      maxRecords: options.maxBufferedRecords,
      maxBytes: options.maxBufferedBytes,
    });
    this.#queue = new RecordQueue(budget);
    const stream = new MeasuredKinesisStream(ports.stream, this.#metrics);
    const fanOut = new MeasuredFanOut(ports.fanOut, this.#metrics);
    this.#follower = new StreamFollower(
      { ...ports, stream, fanOut, queue: this.#queue, budget, host, metrics: this.#metrics },
      { ...options, workerId: this.#workerId },
    );
  }

  /** The name that its leases carry as their owner: the instance's, and one more of this start. */
  get workerId(): string {
    return this.#workerId;
  }

  /**
   * Makes the consumer ready to read, or throws.
   *
   * @param signal stops the reading, and nothing else: renewals and checkpoints go on until {@link close}.
   * @throws StreamNotFoundError (`PIO_STREAM_NOT_FOUND`), StreamRecreatedError (`PIO_STREAM_RECREATED`),
   *   the errors `PIO_LEASE_TABLE_…` and `PIO_AWS_…`, FanOutUnavailableError (`PIO_FAN_OUT_UNAVAILABLE`).
   */
  async open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#opening !== undefined || this.#closing !== undefined) {
      throw new IllegalStateError("a consumer is opened once");
    }
    const failed = new AbortController();
    using joined = new JoinedSignal(signal, this.#stop.signal, failed.signal);
    this.#opening = this.#follower.open(joined.signal);
    // What was asked side by side is not asked again and again for an answer that nobody waits for.
    this.#opening.catch((error) => failed.abort(error));
    const prepared = await unlessAborted(this.#opening, joined.signal);
    joined.signal.throwIfAborted();
    this.#running = this.#run(prepared, signal);
    this.#publishing = this.#metrics.run(this.#stop.signal);
  }

  /**
   * Waits for the next record. One call at a time.
   *
   * @throws the reason of `signal` once it aborts, and the failure of what {@link open} started.
   */
  async read(signal: AbortSignal): Promise<KinesisRecord> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#failure !== undefined) throw this.#failure;
      const record = this.poll();
      if (record !== undefined) return record;
      if (this.#running === undefined || this.#closing !== undefined) {
        throw new IllegalStateError("the consumer is not open");
      }
      await this.#queue.filled(signal);
    }
  }

  /** A record that is there already. */
  poll(): KinesisRecord | undefined {
    return this.#queue.shift();
  }

  /** Stores the last checkpoints and releases the leases. Idempotent; takes 15 s at most, and does not throw. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The shards whose leases this worker holds. */
  status(): readonly PartitionStatus[] {
    return this.#follower.status();
  }

  async #run(prepared: Prepared, stopReading: AbortSignal): Promise<void> {
    try {
      await this.#follower.run(prepared, stopReading, this.#stop.signal);
    } catch (error) {
      if (error === this.#stop.signal.reason) return;
      this.#failure = toError(error);
      this.#queue.wake();
    }
  }

  async #close(): Promise<void> {
    const { clock, logger } = this.#host;
    const late = crowdedController();
    const finished = new AbortController();
    const watchdog = clock.sleep(closeWithinMs, finished.signal).then(
      () => late.abort(new Error(`closing took longer than ${closeWithinMs} ms`)),
      () => {},
    );
    try {
      await unlessAborted(this.#follower.release(late.signal), late.signal);
    } catch (error) {
      logger.warn({ err: error }, "leases were not released, they expire");
    }
    this.#stop.abort(new Error("the consumer is closed"));
    this.#queue.clear();
    this.#queue.wake();
    try {
      await unlessAborted(this.#end(late.signal), late.signal);
    } catch (error) {
      logger.warn({ err: error }, "the consumer did not end in time, what still runs is left");
    }
    finished.abort();
    await watchdog;
  }

  /** Waits for what {@link #stop} has cut short. The last metrics include those of the release. */
  async #end(signal: AbortSignal): Promise<void> {
    // An opening that was cut short reports the reason to its caller.
    await Promise.allSettled([this.#opening, this.#running]);
    await this.#publishing;
    await this.#metrics.finish(signal);
  }
}
