import dns from "node:dns";
import { silentLogger, silentMeter, silentTroubles, systemClock } from "@pulsar-ts-io/core";
import { type KinesisDouble, startKinesisDouble } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startDelayingRelay } from "../../../test/harness/delaying-relay.ts";
import { createAwsClients } from "../src/aws-clients.ts";
import { AwsFanOut } from "../src/fetch/aws-fan-out.ts";
import { AwsKinesisStream } from "../src/shard/aws-kinesis-stream.ts";
import { StreamConsumer } from "../src/stream-consumer.ts";
import { usualOptions } from "./support/consumer-options.ts";
import { MemoryKcl3State } from "./support/memory-kcl3-state.ts";
import { MemoryLeaseTable } from "./support/memory-lease-table.ts";

/** Subscriptions go over HTTP/2 to hosts of AWS only. */
const awsHost = "kinesis.us-east-1.amazonaws.com";
const oneWayMs = 50;
const recordBytes = 50_000;
const recordCount = 80;

describe("enhanced fan-out over 100 ms of round trip", () => {
  let double: KinesisDouble;

  beforeEach(async () => {
    resolveToLoopback(awsHost);
    double = await startKinesisDouble();
    double.model.createStream("orders", 1);
    const entry = {
      partitionKey: "key",
      data: Buffer.alloc(recordBytes, "x").toString("base64"),
      dataBytes: recordBytes,
    };
    for (let index = 0; index < recordCount; index += 1) double.model.stream("orders").put(entry, Date.now());
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await double.close();
  });

  it("reads a shard several times as fast as 64 KiB for each round trip", async () => {
    await using relay = await startDelayingRelay(Number(new URL(double.endpoint).port), oneWayMs);
    const ms = await millisecondsToReadAll(`http://${awsHost}:${relay.port}`);
    // 6.1 s and 82 round trips with windows of 64 KiB, which no fast machine shortens.
    expect(ms).toBeLessThan(5_000);
  });
});

/** From the first record to the last. */
async function millisecondsToReadAll(kinesisEndpoint: string): Promise<number> {
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  using clients = createAwsClients({ region: "us-east-1", kinesisEndpoint, credentials });
  await using consumer = new StreamConsumer(
    {
      stream: new AwsKinesisStream(clients.kinesis, "orders", systemClock),
      fanOut: new AwsFanOut(clients.kinesis, "orders"),
      table: new MemoryLeaseTable(),
      kcl3: new MemoryKcl3State(),
    },
    {
      clock: systemClock,
      logger: silentLogger,
      meter: silentMeter,
      troubles: silentTroubles,
      releasePartition: () => Promise.resolve(),
    },
    { ...usualOptions, retrieval: { kind: "fan-out", consumerName: "orders-app" } },
  );
  const stop = new AbortController();
  await consumer.open(stop.signal);
  let firstMs = 0;
  for (let count = 0; count < recordCount; count += 1) {
    const record = await consumer.read(stop.signal);
    if (count === 0) firstMs = performance.now();
    expect(record.data).toHaveLength(recordBytes);
    record.ack();
  }
  stop.abort(new Error("enough"));
  return performance.now() - firstMs;
}

/** Node's own name lookup, but for `host`. */
function resolveToLoopback(host: string): void {
  const real = dns.lookup;
  const spy = vi.spyOn(dns, "lookup");
  const lookup = (name: string, ...rest: unknown[]): unknown =>
    Reflect.apply(real, dns, [name === host ? "127.0.0.1" : name, ...rest]);
  spy.mockImplementation(lookup as typeof dns.lookup);
}
