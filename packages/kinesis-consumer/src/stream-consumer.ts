import { randomBytes } from "node:crypto";
import { IllegalStateError, type PartitionStatus, toError } from "@pulsar-ts-io/core";
import {
  type ConsumerHost,
  type ConsumerOptions,
  checkOptions,
  defaultFailoverMs,
} from "./consumer-options.ts";
import { FanOutUnsupportedError } from "./errors.ts";
import { ReadBudget } from "./fetch/read-budget.ts";
import { type FoundLeases, findLeases } from "./find-leases.ts";
import { JoinedSignal } from "./joined-signal.ts";
import type { KinesisRecord } from "./kinesis-record.ts";
import type { LeaseTable } from "./lease/lease-table.ts";
import { RecordQueue } from "./record-queue.ts";
import type { KinesisStream } from "./shard/kinesis-stream.ts";
import { Worker } from "./worker.ts";

/** Longest time that {@link StreamConsumer.close} takes, milliseconds. */
const closeWithinMs = 15_000;

/** Where the records are and where the leases are kept. */
export interface ConsumerPorts {
  readonly stream: KinesisStream;
  readonly table: LeaseTable;
}

/**
 * One worker of a KCL application: takes leases, reads their shards, stores what was acknowledged.
 *
 * `open` once, `read` from one loop, `close` once, also after a failed `open`.
 */
export class StreamConsumer implements AsyncDisposable {
  readonly #stream: KinesisStream;
  readonly #table: LeaseTable;
  readonly #host: ConsumerHost;
  readonly #options: ConsumerOptions;
  readonly #workerId: string;
  readonly #queue: RecordQueue;
  readonly #budget: ReadBudget;
  readonly #stop = new AbortController();
  #opening: Promise<FoundLeases> | undefined;
  #worker: Worker | undefined;
  #running: Promise<void> | undefined;
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(ports: ConsumerPorts, host: ConsumerHost, options: ConsumerOptions) {
    checkOptions(options);
    this.#stream = ports.stream;
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

  /**
   * Makes the consumer ready to read, or throws.
   *
   * @param signal stops the reading, and nothing else: renewals and checkpoints go on until {@link close}.
   * @throws StreamNotFoundError (`PIO_STREAM_NOT_FOUND`), StreamRecreatedError (`PIO_STREAM_RECREATED`),
   *   the errors `PIO_LEASE_TABLE_…` and `PIO_AWS_…`, FanOutUnsupportedError (`PIO_FAN_OUT_UNSUPPORTED`).
   */
  async open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#opening !== undefined || this.#closing !== undefined) {
      throw new IllegalStateError("a consumer is opened once");
    }
    const { retrieval } = this.#options;
    if (retrieval.kind === "fan-out") {
      throw new FanOutUnsupportedError("enhanced fan-out is not supported yet", {
        remedy: "set useEnhancedFanOut: false to read by polling",
      });
    }
    using joined = new JoinedSignal(signal, this.#stop.signal);
    const stream = this.#stream;
    const table = this.#table;
    this.#opening = findLeases(stream, table, {
      ...this.#options,
      tableName: this.#options.applicationName,
      clock: this.#host.clock,
      signal: joined.signal,
    });
    const found = await this.#opening;
    joined.signal.throwIfAborted();
    const worker = new Worker(
      { stream, table, queue: this.#queue, budget: this.#budget, host: this.#host },
      {
        ...this.#options,
        idleMs: retrieval.idleMs,
        failoverMs: this.#options.failoverMs ?? defaultFailoverMs,
        workerId: this.#workerId,
      },
      found,
    );
    this.#worker = worker;
    this.#running = this.#run(worker, signal);
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
    finished.abort();
    await watchdog;
  }
}
