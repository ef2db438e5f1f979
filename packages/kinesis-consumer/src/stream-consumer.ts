import { randomBytes } from "node:crypto";
import { IllegalStateError, type PartitionStatus, toError } from "@pulsar-ts-io/core";
import {
  type ConsumerHost,
  type ConsumerOptions,
  checkOptions,
  defaultFailoverMs,
} from "./consumer-options.ts";
import type { FanOutService } from "./fetch/fan-out-service.ts";
import { openRetrieval } from "./fetch/open-retrieval.ts";
import { ReadBudget } from "./fetch/read-budget.ts";
import type { Retrieval } from "./fetch/shard-reader.ts";
import { type FoundLeases, findLeases } from "./find-leases.ts";
import { JoinedSignal } from "./joined-signal.ts";
import type { KinesisRecord } from "./kinesis-record.ts";
import type { Kcl3StateReader } from "./lease/kcl3-state.ts";
import { Kcl3Watch } from "./lease/kcl3-watch.ts";
import type { LeaseTable } from "./lease/lease-table.ts";
import { ConsumerMetrics } from "./metrics/consumer-metrics.ts";
import { LeaseCreations } from "./metrics/lease-creations.ts";
import { MeasuredFanOut } from "./metrics/measured-fan-out.ts";
import { MeasuredKinesisStream } from "./metrics/measured-kinesis-stream.ts";
import type { MetricSink } from "./metrics/metric-sink.ts";
import { RecordQueue } from "./record-queue.ts";
import type { KinesisStream } from "./shard/kinesis-stream.ts";
import { Worker } from "./worker.ts";

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

interface Prepared {
  readonly found: FoundLeases;
  readonly retrieval: Retrieval;
}

/**
 * One worker of a KCL application: takes leases, reads their shards, stores what was acknowledged.
 *
 * `open` once, `read` from one loop, `close` once, also after a failed `open`.
 */
export class StreamConsumer implements AsyncDisposable {
  readonly #stream: KinesisStream;
  readonly #fanOut: FanOutService;
  readonly #table: LeaseTable;
  readonly #kcl3: Kcl3StateReader;
  readonly #host: ConsumerHost;
  readonly #options: ConsumerOptions;
  readonly #workerId: string;
  readonly #metrics: ConsumerMetrics;
  readonly #queue: RecordQueue;
  readonly #budget: ReadBudget;
  readonly #stop = new AbortController();
  #opening: Promise<Prepared> | undefined;
  #worker: Worker | undefined;
  #running: Promise<void> | undefined;
  #publishing: Promise<void> | undefined;
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(ports: ReadingPorts, host: ConsumerHost, options: ConsumerOptions) {
    checkOptions(options);
    const { clock, logger } = host;
    this.#metrics = new ConsumerMetrics(ports.sink, {
      clock,
      logger,
      level: options.metricsLevel ?? "DETAILED",
      workerIdentifier: options.instanceId,
    });
    this.#stream = new MeasuredKinesisStream(ports.stream, this.#metrics);
    this.#fanOut = new MeasuredFanOut(ports.fanOut, this.#metrics);
    this.#kcl3 = ports.kcl3;
    this.#table = ports.table;
    this.#host = host;
    this.#options = options;
    this.#workerId = `${options.instanceId}-${randomBytes(4).toString("hex")}`;
    this.#budget = new ReadBudget({
      maxRecords: options.maxBufferedRecords,
      maxBytes: options.maxBufferedBytes,
    });
    this.#queue = new RecordQueue(this.#budget);
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
    using joined = new JoinedSignal(signal, this.#stop.signal);
    const { clock, logger } = this.#host;
    const failoverMs = this.#options.failoverMs ?? defaultFailoverMs;
    const kcl3 = new Kcl3Watch(this.#kcl3, { clock, logger, failoverMs });
    this.#opening = this.#prepare(kcl3, joined.signal);
    const { found, retrieval } = await this.#opening;
    joined.signal.throwIfAborted();
    const worker = new Worker(
      {
        stream: this.#stream,
        table: this.#table,
        kcl3,
        queue: this.#queue,
        budget: this.#budget,
        host: this.#host,
        metrics: this.#metrics,
      },
      {
        ...this.#options,
        retrieval,
        failoverMs,
        workerId: this.#workerId,
      },
      found,
    );
    this.#worker = worker;
    this.#running = this.#run(worker, signal);
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
    return this.#worker?.status() ?? [];
  }

  /** The fan-out consumer comes last: it costs money, and is not registered for a table that is refused. */
  async #prepare(kcl3: Kcl3Watch, signal: AbortSignal): Promise<Prepared> {
    const table = new LeaseCreations(this.#table, this.#metrics, "ShardSyncTask");
    const found = await this.#metrics.ofOperation("ShardSyncTask").measure("", "SUMMARY", () =>
      findLeases(this.#stream, table, {
        ...this.#options,
        tableName: this.#options.applicationName,
        clock: this.#host.clock,
        kcl3,
        signal,
      }),
    );
    const retrieval = await openRetrieval(this.#options.retrieval, this.#fanOut, this.#host, signal);
    return { found, retrieval };
  }

  async #run(worker: Worker, stopReading: AbortSignal): Promise<void> {
    try {
      await worker.run(stopReading, this.#stop.signal);
    } catch (error) {
      if (error === this.#stop.signal.reason) return;
      this.#failure = toError(error);
      this.#queue.wake();
    }
  }

  async #close(): Promise<void> {
    const { clock, logger } = this.#host;
    const late = new AbortController();
    const finished = new AbortController();
    const watchdog = clock.sleep(closeWithinMs, finished.signal).then(
      () => late.abort(new Error(`closing took longer than ${closeWithinMs} ms`)),
      () => {},
    );
    try {
      await this.#worker?.release(late.signal);
    } catch (error) {
      logger.warn({ err: error }, "leases were not released, they expire");
    }
    this.#stop.abort(new Error("the consumer is closed"));
    this.#queue.clear();
    this.#queue.wake();
    // An opening that was cut short tells its caller why.
    await Promise.allSettled([this.#opening, this.#running]);
    // What was under way is cut short above; the last data include those of the release.
    await this.#publishing;
    await this.#metrics.finish(late.signal);
    finished.abort();
    await watchdog;
  }
}
