import { silentMeter, silentTroubles, systemClock } from "@pulsar-ts-io/core";
import { type AwsClients, createAwsClients, KinesisConsumer } from "@pulsar-ts-io/kinesis-consumer";
import { RecordingLogger } from "@pulsar-ts-io/testkit";
import { usualOptions } from "../../packages/kinesis-consumer/test/support/consumer-options.ts";
import { eventually } from "../harness/eventually.ts";
import { distinct, type Sighting } from "./sighting.ts";

export interface OurWorkerOptions {
  readonly streamName: string;
  readonly applicationName: string;
  readonly kinesisEndpoint: string;
  readonly dynamoEndpoint: string;
  /** Default `0`: the leases of a Java worker of that name are adopted. */
  readonly instanceId?: string;
  /** Default polling; `fan-out` as the consumer that Java registers, too. */
  readonly retrieval?: "polling" | "fan-out";
  readonly numberRecords?: boolean;
  /** Reads so many records and no more. */
  readonly count?: number;
}

const credentials = { accessKeyId: "test", secretAccessKey: "test" };

/** A worker of ours in this process: acknowledges each record as it comes. Disposing stops it cleanly. */
export class OurWorker implements AsyncDisposable {
  readonly records: Sighting[] = [];
  /** Of each of them, where they are numbered: its partition and its number there. */
  readonly numbers: (readonly [partitionId: string, recordSequence: bigint | undefined])[] = [];
  readonly logger: RecordingLogger = new RecordingLogger();
  readonly #instanceId: string;
  readonly #count: number;
  readonly #clients: AwsClients;
  readonly #consumer: KinesisConsumer;
  readonly #stop = new AbortController();
  #reading: Promise<void> = Promise.resolve();
  #failure: unknown;

  private constructor(options: OurWorkerOptions) {
    const { kinesisEndpoint, dynamoEndpoint, streamName, applicationName, instanceId = "0" } = options;
    this.#count = options.count ?? Number.POSITIVE_INFINITY;
    this.#instanceId = instanceId;
    this.#clients = createAwsClients({ region: "us-east-1", kinesisEndpoint, dynamoEndpoint, credentials });
    const host = {
      clock: systemClock,
      logger: this.logger,
      meter: silentMeter,
      troubles: silentTroubles,
      releasePartition: () => Promise.resolve(),
    };
    this.#consumer = new KinesisConsumer(this.#clients, host, {
      ...usualOptions,
      streamName,
      applicationName,
      instanceId,
      numberRecords: options.numberRecords === true,
      retrieval:
        options.retrieval === "fan-out"
          ? { kind: "fan-out", consumerName: applicationName }
          : { kind: "polling", idleMs: 200 },
    });
  }

  static async start(options: OurWorkerOptions): Promise<OurWorker> {
    const worker = new OurWorker(options);
    await worker.#consumer.open(worker.#stop.signal);
    worker.#reading = worker.#read().catch((error: unknown) => {
      if (!worker.#stop.signal.aborted) worker.#failure = error;
    });
    return worker;
  }

  /** The shards whose leases it holds. */
  get shardIds(): readonly string[] {
    return this.#consumer.status().map(({ id }) => id);
  }

  /** Whether it is what `owner`, of a lease, names. */
  isMe(owner: string): boolean {
    return owner.startsWith(`${this.#instanceId}-`);
  }

  /** Waits until it has handed out `count` different records. */
  async handedOut(count: number, timeoutMs?: number): Promise<void> {
    await this.until(`${count} records from ours`, () => distinct(this.records) >= count, timeoutMs);
  }

  /** Waits for `look`, which a failure of the worker cuts short. */
  async until(what: string, look: () => boolean, timeoutMs = 90_000): Promise<void> {
    const check = () => {
      if (this.#failure !== undefined) throw this.#failure;
      return look();
    };
    await eventually(what, check, { timeoutMs });
  }

  /** The clean stop. Idempotent. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error("the worker is to stop"));
    await this.#reading;
    await this.#consumer.close();
    this.#clients.destroy();
    if (this.#failure !== undefined) throw this.#failure;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #read(): Promise<void> {
    const { signal } = this.#stop;
    while (this.records.length < this.#count) {
      const record = await this.#consumer.read(signal);
      const { shardId, sequenceNumber, subSequenceNumber } = record;
      const data = Buffer.from(record.data).toString("base64");
      this.records.push({ shardId, sequenceNumber, subSequenceNumber, data, atMs: performance.now() });
      this.numbers.push([record.partitionId, record.recordSequence]);
      record.ack();
    }
  }
}
