import { type PartitionStatus, type SourceContext, silentMeter, silentTroubles } from "@pulsar-ts-io/core";
import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ConnectConsumer, Consumer } from "../src/connect-consumer.ts";
import { KinesisSource } from "../src/index.ts";
import type { DeliveredRecord } from "../src/kinesis-record.ts";
import type { KinesisSourceConfig } from "../src/resolve-options.ts";
import { options } from "./kinesis-config.ts";

/** Hands out the records it was given, then waits for the signal. Keeps a diary. */
class FakeConsumer implements Consumer {
  readonly diary: string[] = [];
  readonly records: DeliveredRecord[] = [];
  config: KinesisSourceConfig | undefined;
  failure: Error | undefined;

  readonly connect: ConnectConsumer = (config) => {
    this.config = config;
    return { consumer: this, disconnect: () => this.diary.push("disconnect") };
  };

  open(_signal: AbortSignal): Promise<void> {
    this.diary.push("open");
    return this.failure === undefined ? Promise.resolve() : Promise.reject(this.failure);
  }

  read(signal: AbortSignal): Promise<DeliveredRecord> {
    this.diary.push("read");
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  poll(): DeliveredRecord | undefined {
    return this.records.shift();
  }

  close(): Promise<void> {
    this.diary.push("close");
    return this.failure === undefined ? Promise.resolve() : Promise.reject(this.failure);
  }

  status(): readonly PartitionStatus[] {
    return [{ id: "shardId-000000000000", owner: "0-abc" }];
  }
}

const record: DeliveredRecord = {
  data: new Uint8Array([1]),
  partitionKey: "k",
  sequenceNumber: "1",
  shardId: "shardId-000000000000",
  arrival: new Date(0),
  encryptionType: "NONE",
  millisBehindLatest: 0,
  partitionId: "shardId-000000000000",
  recordSequence: undefined,
  ack: () => {},
};

let stop: AbortController;
let logger: RecordingLogger;
let context: SourceContext;

beforeEach(() => {
  for (const name of ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"]) vi.stubEnv(name, undefined);
  stop = new AbortController();
  logger = new RecordingLogger();
  context = {
    signal: stop.signal,
    clock: new TestClock(),
    logger,
    meter: silentMeter,
    troubles: silentTroubles,
    tenant: "public",
    namespace: "default",
    sourceName: "kinesis",
    instanceId: 3,
    numInstances: 4,
    outputTopic: "t",
    guarantee: "ATLEAST_ONCE",
    state: undefined,
    secret: () => undefined,
    recordMetric: () => {},
    releasePartition: () => Promise.resolve(),
    fatal: () => {},
  };
});

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("KinesisSource", () => {
  it("reads what is there at once, and otherwise waits", async () => {
    const consumer = new FakeConsumer();
    const source = new KinesisSource(consumer.connect);
    await source.open(options(), context);
    consumer.records.push(record);
    expect((await source.read()).key).toBe("k");
    expect(consumer.diary).toEqual(["open"]);
    const waiting = source.read();
    const reason = new Error("stop reading");
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it("hands out nothing once reading was stopped", async () => {
    const consumer = new FakeConsumer();
    const source = new KinesisSource(consumer.connect);
    await source.open(options(), context);
    consumer.records.push(record);
    const reason = new Error("stop reading");
    stop.abort(reason);
    await expect(source.read()).rejects.toBe(reason);
    expect(consumer.records).toHaveLength(1);
  });

  it("closes the consumer, then its connections, once", async () => {
    const consumer = new FakeConsumer();
    const source = new KinesisSource(consumer.connect);
    await source.open(options(), context);
    await Promise.all([source.close(), source.close()]);
    expect(consumer.diary).toEqual(["open", "close", "disconnect"]);
  });

  it("closes its connections also when opening has failed, and when closing fails", async () => {
    const consumer = new FakeConsumer();
    consumer.failure = new Error("no such stream");
    const source = new KinesisSource(consumer.connect);
    await expect(source.open(options(), context)).rejects.toBe(consumer.failure);
    await expect(source.close()).rejects.toBe(consumer.failure);
    expect(consumer.diary).toEqual(["open", "close", "disconnect"]);
  });

  it("closes in peace when it was never opened", async () => {
    const source = new KinesisSource();
    await source.close();
    expect(source.status()).toEqual([]);
    await expect(source.read()).rejects.toMatchObject({ code: "PIO_ILLEGAL_STATE" });
  });

  it("shows the consumer's shards", async () => {
    const consumer = new FakeConsumer();
    const source = new KinesisSource(consumer.connect);
    await source.open(options(), context);
    expect(source.status()).toEqual([{ id: "shardId-000000000000", owner: "0-abc" }]);
  });

  it("warns once, by name, of services that go to AWS while others do not", async () => {
    const consumer = new FakeConsumer();
    await new KinesisSource(consumer.connect).open(
      options({ awsEndpoint: "http://localhost:4567" }),
      context,
    );
    expect(logger.lines).toEqual([
      {
        level: "warn",
        fields: { services: ["dynamodb", "cloudwatch"], region: "eu-west-1" },
        message: "some endpoints are overridden, these services still go to AWS",
      },
    ]);
  });

  it("reads AWS's own variables", async () => {
    vi.stubEnv("AWS_ENDPOINT_URL", "http://localhost:4566");
    const consumer = new FakeConsumer();
    await new KinesisSource(consumer.connect).open(options(), context);
    expect(consumer.config?.endpoints).toMatchObject({
      kinesis: "http://localhost:4566",
      dynamodb: "http://localhost:4566",
    });
    expect(logger.lines).toEqual([]);
  });

  it("sends no metrics from a stand of which nobody says where its CloudWatch is, and says so", async () => {
    const consumer = new FakeConsumer();
    const elsewhere = { awsEndpoint: "http://localhost:4567", dynamoEndpoint: "http://localhost:8000" };
    await new KinesisSource(consumer.connect).open(options(elsewhere), context);
    expect(consumer.config?.metricsLevel).toBe("NONE");
    expect(logger.messages()).toEqual(["no metrics are sent, as no endpoint says where CloudWatch is"]);
  });

  it("sends metrics where an endpoint says, and to AWS when the others are there", async () => {
    const consumer = new FakeConsumer();
    const elsewhere = { awsEndpoint: "http://localhost:4567", dynamoEndpoint: "http://localhost:8000" };
    const cloudwatchEndpoint = "http://localhost:4568";
    await new KinesisSource(consumer.connect).open(options({ ...elsewhere, cloudwatchEndpoint }), context);
    expect(consumer.config).toMatchObject({
      metricsLevel: "DETAILED",
      endpoints: { cloudwatch: cloudwatchEndpoint },
    });
    await new KinesisSource(consumer.connect).open(options({ cloudwatchMetricsLevel: "SUMMARY" }), context);
    expect(consumer.config).toMatchObject({ metricsLevel: "SUMMARY", endpoints: { cloudwatch: undefined } });
    expect(logger.lines).toEqual([]);
  });
});
