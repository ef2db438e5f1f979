import { AsyncLocalStorage } from "node:async_hooks";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { TroubleLog } from "@pulsar-ts-io/core";
import {
  KinesisModel,
  KinesisService,
  RecordingLogger,
  RecordingMeter,
  type Stream,
  TestClock,
} from "@pulsar-ts-io/testkit";
import type { ConsumerOptions } from "../../src/consumer-options.ts";
import { AwsUnavailableError } from "../../src/errors.ts";
import { AwsFanOut } from "../../src/fetch/aws-fan-out.ts";
import { recordsProtocol } from "../../src/fetch/aws-get-records-protocol.ts";
import type { FanOutService } from "../../src/fetch/fan-out-service.ts";
import { RecordEncoding } from "../../src/fetch/record-encoding.ts";
import type { KinesisRecord } from "../../src/kinesis-record.ts";
import type { MetricSink } from "../../src/metrics/metric-sink.ts";
import { AwsKinesisStream } from "../../src/shard/aws-kinesis-stream.ts";
import type { KinesisStream } from "../../src/shard/kinesis-stream.ts";
import { type ShardId, shardId } from "../../src/shard/shard.ts";
import { StreamConsumer } from "../../src/stream-consumer.ts";
import { usualOptions } from "./consumer-options.ts";
import { Gate } from "./gate.ts";
import { MemoryKcl3State } from "./memory-kcl3-state.ts";
import { MemoryLeaseTable } from "./memory-lease-table.ts";
import { ProcessHandler } from "./process-handler.ts";
import { serviceOf } from "./service-of.ts";
import { WorkerClock } from "./worker-clock.ts";

/** What became of one worker's records. */
export interface Worker {
  readonly name: string;
  readonly consumer: StreamConsumer;
  readonly clock: WorkerClock;
  /** What the consumer reports as failing. */
  readonly troubles: TroubleLog;
  /** Shut while the host takes no record. */
  readonly intake: Gate;
  /** Stops the reading. */
  readonly stop: AbortController;
  /** What was read, in order. */
  readonly records: KinesisRecord[];
  /** The partitions that the host was asked to release. */
  readonly released: string[];
  /** Why the reading ended. */
  failure: unknown;
  /** Asked for each record: whether to acknowledge it at once. */
  settle: (record: KinesisRecord) => boolean;
  /** How the host lets go of a partition. */
  letGo: (partitionId: string) => Promise<void>;
  /** The host never lets go of a partition. */
  holdOn: boolean;
  /** The process dies: no close, no further call. */
  kill(): void;
}

/** One call of the table. */
export interface Caller {
  readonly workerId: string;
  /** When it was made, monotonic milliseconds. */
  readonly sentMs: number;
}

/** Turns of the loop that a call of the AWS client takes, generously. */
const callTurns = 10;
/** So long, in real time, nobody waits for time to pass before that counts as a deadlock: the AWS client loads parts of itself when it needs them. */
const deadlockMs = 5_000;

/** Time that can also pass without anything happening in it, as it does for a process that is paused. */
class PausableClock extends TestClock {
  #pausedMs = 0;

  pause(ms: number): void {
    this.#pausedMs += ms;
  }

  override now(): number {
    return super.now() + this.#pausedMs;
  }

  override monotonic(): number {
    return super.monotonic() + this.#pausedMs;
  }
}

/** What an AWS service says when it has a problem of its own. */
export function unavailable(): AwsUnavailableError {
  return new AwsUnavailableError("the table failed by order of the test");
}

/** A stream, a lease table and time, all in memory; workers as many as a test wants. */
export class Rig {
  readonly clock: PausableClock = new PausableClock();
  readonly model: KinesisModel = new KinesisModel({ clock: this.clock });
  readonly service: KinesisService = new KinesisService(this.model);
  readonly table: MemoryLeaseTable = new MemoryLeaseTable();
  readonly kcl3: MemoryKcl3State = new MemoryKcl3State();
  /** Stands between a worker and its stream. */
  through: (stream: KinesisStream) => KinesisStream = (stream) => stream;
  /** Instead of the double's fan-out. */
  fanOut: FanOutService | undefined;
  /** Where metrics go, if anywhere. */
  sink: MetricSink | undefined;
  readonly logger: RecordingLogger = new RecordingLogger();
  readonly meter: RecordingMeter = new RecordingMeter();
  /** Where each record that was put is. */
  readonly placed: { readonly shardId: string; readonly sequenceNumber: bigint }[] = [];
  readonly #cbor: boolean;
  readonly #dead = new Set<string>();
  readonly #caller = new AsyncLocalStorage<Caller>();
  #put = 0;

  /** @param cbor whether records are asked for in CBOR. */
  constructor(shardCount = 1, cbor = true) {
    this.#cbor = cbor;
    this.model.createStream("orders", shardCount);
    this.table.exists = false;
  }

  /** Whose call the table is answering. */
  get caller(): Caller | undefined {
    return this.#caller.getStore();
  }

  get stream(): Stream {
    return this.model.stream("orders");
  }

  /** Puts `count` records with the texts "0", "1", … in turn, spread over the hash keys. */
  put(count: number): readonly string[] {
    return Array.from({ length: count }, () => {
      const text = String(this.#put);
      this.#put += 1;
      const hashKey = (BigInt(this.#put) * 0x9e3779b97f4a7c15f39cc0605cedc834n) % 2n ** 128n;
      this.putBytes(Buffer.from(text), `key-${text}`, hashKey);
      return text;
    });
  }

  putBytes(data: Buffer, partitionKey: string, hashKey = 0n): void {
    const entry = { data: data.toString("base64"), dataBytes: data.length, partitionKey };
    const { shard, sequenceNumber } = this.stream.put(entry, this.clock.now(), hashKey);
    this.placed.push({ shardId: shard.id, sequenceNumber });
  }

  /** A worker that is not opened yet. */
  worker(options: Partial<ConsumerOptions> = {}): Worker {
    const clock = new WorkerClock(this.clock);
    const client = new KinesisClient({
      region: "us-east-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      maxAttempts: 1,
      requestHandler: new ProcessHandler(this.service, clock),
      protocol: recordsProtocol(new RecordEncoding(this.#cbor)),
    });
    const kinesis = serviceOf(client);
    const released: string[] = [];
    const troubles = new TroubleLog({ clock, logger: this.logger });
    const name = `worker-${this.#dead.size}-${released.length}-${Math.random()}`;
    const alive = this.#fenced(name, clock, () => consumer.workerId);
    const consumer: StreamConsumer = new StreamConsumer(
      {
        stream: this.through(new AwsKinesisStream(kinesis, "orders", clock)),
        fanOut: this.fanOut ?? new AwsFanOut(kinesis, "orders"),
        table: alive,
        kcl3: this.kcl3,
        sink: this.sink,
      },
      {
        clock,
        logger: this.logger,
        meter: this.meter,
        troubles,
        releasePartition: (id) => {
          released.push(id);
          return worker.holdOn ? new Promise(() => {}) : worker.letGo(id);
        },
      },
      { ...usualOptions, ...options },
    );
    const stop = new AbortController();
    const worker: Worker = {
      name,
      consumer,
      clock,
      troubles,
      intake: new Gate(),
      stop,
      records: [],
      released,
      failure: undefined,
      settle: () => true,
      letGo: () => Promise.resolve(),
      holdOn: false,
      kill: () => {
        this.#dead.add(name);
        stop.abort(new Error("killed"));
      },
    };
    return worker;
  }

  /** Opens a worker and reads until it is stopped. */
  async start(
    options: Partial<ConsumerOptions> = {},
    settle = (_record: KinesisRecord) => true,
  ): Promise<Worker> {
    const worker = this.worker(options);
    worker.settle = settle;
    await this.openWorker(worker);
    return worker;
  }

  /** Opens a worker and reads until it is stopped. @throws what the opening threw. */
  async openWorker(worker: Worker): Promise<void> {
    let opened = false;
    const opening = this.launch(worker).finally(() => {
      opened = true;
    });
    opening.catch(() => {});
    await this.until(() => opened);
    await opening;
  }

  /** The same for one of several workers at once: somebody else lets time pass. */
  async launch(worker: Worker): Promise<void> {
    try {
      await worker.consumer.open(worker.stop.signal);
    } catch (error) {
      // Nobody learns how the opening of a dead process ended.
      if (this.#dead.has(worker.name)) return await new Promise(() => {});
      throw error;
    }
    void this.#read(worker);
  }

  /** Stops a worker as a host does: reading first, then the last checkpoint. */
  async close(worker: Worker): Promise<void> {
    worker.stop.abort(new Error("stopped"));
    let closed = false;
    const closing = worker.consumer.close().finally(() => {
      closed = true;
    });
    await this.until(() => closed);
    await closing;
  }

  /**
   * Lets time pass until `condition` holds, and no more of it than needed: what is under way without waiting for time, such as a
   * call of the AWS client, goes on first.
   *
   * @returns the milliseconds it took.
   */
  async until(condition: () => boolean, limitMs = 120_000): Promise<number> {
    const start = this.clock.monotonic();
    let idleSince = performance.now();
    while (!condition()) {
      for (let turn = 0; turn < callTurns && !condition(); turn += 1) await this.clock.settle();
      const waitMs = this.clock.nextWakeMs;
      if (condition()) return this.clock.monotonic() - start;
      if (waitMs === undefined) {
        if (performance.now() - idleSince > deadlockMs)
          throw new Error("the condition does not hold, and nobody waits for time to pass");
        continue;
      }
      idleSince = performance.now();
      if (this.clock.monotonic() + waitMs - start > limitMs) {
        throw new Error(`the condition did not hold within ${limitMs} ms`);
      }
      await this.clock.advance(waitMs);
    }
    return this.clock.monotonic() - start;
  }

  /** Lets `ms` milliseconds pass, with time for what a network would do in them. */
  async pass(ms: number): Promise<void> {
    const step = Math.max(50, ms / 200);
    for (let left = ms; left > 0; left -= step) {
      for (let turn = 0; turn < callTurns; turn += 1) await this.clock.settle();
      await this.clock.advance(Math.min(step, left));
    }
  }

  lease(index = 0) {
    return this.table.rows.get(idOf(index));
  }

  async #read(worker: Worker): Promise<void> {
    try {
      for (;;) {
        await worker.intake.passed();
        await worker.clock.running();
        const record = await worker.consumer.read(worker.stop.signal);
        worker.records.push(record);
        if (worker.settle(record)) record.ack();
      }
    } catch (error) {
      worker.failure = error;
    }
  }

  /** The table as a process sees it: once it is dead its calls never end. */
  #fenced(name: string, clock: WorkerClock, workerId: () => string): MemoryLeaseTable {
    const caller = this.#caller;
    const dead = this.#dead;
    const forever = new Promise<never>(() => {});
    return new Proxy(this.table, {
      get(table, key) {
        const value: unknown = Reflect.get(table, key, table);
        if (typeof value !== "function") return value;
        return async (...args: unknown[]) => {
          const call = { workerId: workerId(), sentMs: clock.monotonic() };
          using _ = heeded(args.at(-1));
          await clock.running();
          if (dead.has(name)) return await forever;
          const result: unknown = await caller.run(call, () => Reflect.apply(value, table, args));
          await clock.running();
          return dead.has(name) ? await forever : result;
        };
      },
    });
  }
}

/** Listens to a call's signal until the answer is there, as the SDK does. */
function heeded(signal: unknown): Disposable {
  const onAbort = () => {};
  if (signal instanceof AbortSignal) signal.addEventListener("abort", onAbort);
  return {
    [Symbol.dispose]: () => {
      if (signal instanceof AbortSignal) signal.removeEventListener("abort", onAbort);
    },
  };
}

export function idOf(index: number): ShardId {
  return shardId(`shardId-${String(index).padStart(12, "0")}`);
}

export function textsOf(records: readonly KinesisRecord[]): readonly string[] {
  return records.map((record) => Buffer.from(record.data).toString());
}

/** Each text once, in numerical order. */
export function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort((a, b) => Number(a) - Number(b));
}
