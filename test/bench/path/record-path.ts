import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  type KinesisClientConfig,
} from "@aws-sdk/client-kinesis";
import { silentLogger, silentMeter, silentTroubles, TroubleLog } from "@pulsar-ts-io/core";
import { createWireTransport, defaultPublisherOptions } from "@pulsar-ts-io/pulsar";
import { InProcessHandler, KinesisModel, TestClock } from "@pulsar-ts-io/testkit";
import { Instance, openState } from "pulsar-ts-io";
import type { ConnectConsumer } from "../../../connectors/kinesis/src/connect-consumer.ts";
import { KinesisSource } from "../../../connectors/kinesis/src/index.ts";
import { options } from "../../../connectors/kinesis/test/kinesis-config.ts";
import { AwsFanOut } from "../../../packages/kinesis-consumer/src/fetch/aws-fan-out.ts";
import { recordsProtocol } from "../../../packages/kinesis-consumer/src/fetch/aws-get-records-protocol.ts";
import { RecordEncoding } from "../../../packages/kinesis-consumer/src/fetch/record-encoding.ts";
import { AwsKinesisStream } from "../../../packages/kinesis-consumer/src/shard/aws-kinesis-stream.ts";
import { StreamConsumer } from "../../../packages/kinesis-consumer/src/stream-consumer.ts";
import { usualOptions } from "../../../packages/kinesis-consumer/test/support/consumer-options.ts";
import { MemoryKcl3State } from "../../../packages/kinesis-consumer/test/support/memory-kcl3-state.ts";
import { MemoryLeaseTable } from "../../../packages/kinesis-consumer/test/support/memory-lease-table.ts";
import { serviceOf } from "../../../packages/kinesis-consumer/test/support/service-of.ts";
import { FakeNetwork } from "../../../packages/pulsar/test/harness/fake-network.ts";
import { EndlessShard, filledService } from "./endless-shard.ts";

/** Records of one answer. */
const pageRecords = 500;
const recordBytes = 1_024;
/** More than the pause between two calls that Kinesis' limits ask for. */
const stepMs = 300;

/**
 * The whole path of a record in this process: from the bytes of an answer of Kinesis to the bytes for the broker and its receipt, and
 * back to the acknowledgement. The SDK's client, the consumer, the connector, the instance and the wire producer are the real
 * ones; only sockets, the lease table and time are not. Disposing stops it.
 */
export class RecordPath implements AsyncDisposable {
  readonly #shard: EndlessShard;
  readonly #clock: TestClock;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #failure: unknown;
  #stored = 0;

  private constructor(shard: EndlessShard, clock: TestClock) {
    this.#shard = shard;
    this.#clock = clock;
    const network = new FakeNetwork();
    const broker = network.broker("broker");
    broker.keepsSends = false;
    let entryId = 0n;
    broker.onSend = (send, connection) => {
      this.#stored += send.numMessages ?? 1;
      connection.receipt(send, { ledgerId: 1n, entryId: entryId++ });
    };
    const host = { clock: this.#clock, logger: silentLogger, meter: silentMeter };
    const tls = { allowInsecure: false, hostnameVerification: true };
    const transport = createWireTransport({ serviceUrl: broker.url, tls }, { ...host, dial: network.dial });
    const instance = new Instance(new KinesisSource(this.#connect()), transport, {
      ...host,
      tenant: "public",
      namespace: "default",
      name: "path",
      instanceId: 0,
      numInstances: 1,
      topic: "persistent://public/default/path",
      guarantee: "ATLEAST_ONCE",
      publisher: defaultPublisherOptions,
      onRefused: { kind: "fail" },
      secrets: new Map(),
      state: openState({ kind: "none" }, { tenant: "public", namespace: "default", name: "path" }),
      drainTimeoutMs: 30_000,
      troubles: new TroubleLog(host),
    });
    this.#running = instance.run(options(), this.#stop.signal).catch((error: unknown) => {
      this.#failure = error;
    });
  }

  static async open(): Promise<RecordPath> {
    const clock = new TestClock();
    const service = filledService(new KinesisModel({ clock }), "path", pageRecords, recordBytes);
    const shard = await EndlessShard.of(
      new InProcessHandler(service),
      pageRecords,
      async (requestHandler) => {
        const client = kinesisClient(requestHandler);
        const { ShardIterator } = await client.send(
          new GetShardIteratorCommand({
            StreamName: "path",
            ShardId: "shardId-000000000000",
            ShardIteratorType: "TRIM_HORIZON",
          }),
        );
        await client.send(new GetRecordsCommand({ ShardIterator, Limit: pageRecords }));
      },
    );
    return new RecordPath(shard, clock);
  }

  /** Moves so many records to the broker. @throws what ended the instance. */
  async move(records: number): Promise<void> {
    const target = this.#stored + records;
    this.#shard.grant(records);
    while (this.#stored < target) {
      if (this.#failure !== undefined) throw this.#failure;
      await this.#clock.advance(stepMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#shard.grant(pageRecords);
    let ended = false;
    const end = this.#running.then(() => {
      ended = true;
    });
    while (!ended) await this.#clock.advance(stepMs);
    await end;
  }

  #connect(): ConnectConsumer {
    const client = kinesisClient(this.#shard);
    const kinesis = serviceOf(client);
    const ports = {
      stream: new AwsKinesisStream(kinesis, "path", this.#clock),
      fanOut: new AwsFanOut(kinesis, "path"),
      table: new MemoryLeaseTable(),
      kcl3: new MemoryKcl3State(),
    };
    return (_config, { clock, logger, meter }) => {
      const releasePartition = () => Promise.resolve();
      const host = { clock, logger, meter, troubles: silentTroubles, releasePartition };
      const consumer = new StreamConsumer(ports, host, { ...usualOptions, streamName: "path" });
      return { consumer, disconnect: () => client.destroy() };
    };
  }
}

function kinesisClient(requestHandler: NonNullable<KinesisClientConfig["requestHandler"]>): KinesisClient {
  const client = new KinesisClient({
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
    requestHandler,
    protocol: recordsProtocol(new RecordEncoding(true)),
  });
  client.middlewareStack.remove("loggerMiddleware");
  return client;
}
