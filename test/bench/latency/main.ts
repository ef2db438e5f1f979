import dns from "node:dns";
import process from "node:process";
import { silentLogger, silentMeter, silentTroubles, systemClock } from "@pulsar-ts-io/core";
import { createAwsClients, KinesisConsumer } from "@pulsar-ts-io/kinesis-consumer";
import { startDynamoDbLocal } from "@pulsar-ts-io/testkit";
import { startDelayingRelay } from "../../harness/delaying-relay.ts";
import { KinesisStream } from "../../harness/kinesis-stream.ts";
import { uniqueName } from "../../stack.ts";
import { recordMaker } from "../bench-stream.ts";
import { runBenchmark } from "../benchmark.ts";
import { DoubleProcess } from "../double-process.ts";
import { type LatencyBenchOptions, readLatencyOptions, usage } from "./latency-options.ts";
import {
  manyShards,
  manyShardsCallMs,
  roundTrips,
  type ShardSpeed,
  shortfalls,
  summarise,
  table,
} from "./latency-report.ts";

/** Subscriptions go over HTTP/2 to hosts of AWS only. */
const awsHost = "kinesis.us-east-1.amazonaws.com";
const manyRecordBytes = 256;
const manyRecordsPerShard = 2_500;
const portion = 5_000;

/** Where to read from. */
interface Place {
  readonly kinesisEndpoint: string;
  readonly dynamoEndpoint: string;
  readonly streamName: string;
  readonly fanOut: boolean;
}

await runBenchmark({
  usage,
  readOptions: readLatencyOptions,
  measure,
  table,
  faults: (report, { check }) => (check ? shortfalls(report) : []),
});

async function measure(bench: LatencyBenchOptions) {
  resolveToLoopback(awsHost);
  report("starting the programmable Kinesis and DynamoDB Local …");
  await using kinesis = await DoubleProcess.start();
  await using dynamo = await startDynamoDbLocal({ report });
  const oneShard = await measureOneShard(kinesis.endpoint, dynamo.endpoint, bench);
  const many = await measureManyShards(kinesis.endpoint, dynamo.endpoint);
  return summarise(bench, oneShard, many);
}

async function measureOneShard(
  endpoint: string,
  dynamoEndpoint: string,
  { megabytes, sizeBytes }: LatencyBenchOptions,
): Promise<readonly ShardSpeed[]> {
  await using stream = await KinesisStream.create(endpoint, uniqueName("latency"), 1);
  const records = Math.ceil((megabytes * 1e6) / sizeBytes);
  await fill(stream, records, sizeBytes);
  const speeds: ShardSpeed[] = [];
  for (const roundTripMs of roundTrips) {
    report(`one shard at ${roundTripMs} ms …`);
    await using relay = await startDelayingRelay(Number(new URL(endpoint).port), roundTripMs / 2);
    const kinesisEndpoint = `http://${awsHost}:${relay.port}`;
    const place = { kinesisEndpoint, dynamoEndpoint, streamName: stream.name };
    const fanOut = await recordsPerSecond({ ...place, fanOut: true }, records);
    const polling = await recordsPerSecond({ ...place, fanOut: false }, records);
    speeds.push({
      roundTripMs,
      fanOutMegabytesPerSecond: (fanOut * sizeBytes) / 1e6,
      pollingMegabytesPerSecond: (polling * sizeBytes) / 1e6,
    });
  }
  return speeds;
}

async function measureManyShards(endpoint: string, dynamoEndpoint: string): Promise<number> {
  report(`${manyShards} shards …`);
  await using stream = await KinesisStream.create(endpoint, uniqueName("latency"), manyShards);
  const records = manyShards * manyRecordsPerShard;
  await fill(stream, records, manyRecordBytes);
  const fault = { operation: "GetRecords", count: null, effect: { kind: "delay", ms: manyShardsCallMs } };
  await fetch(`${endpoint}/_double/faults`, { method: "POST", body: JSON.stringify(fault) });
  const place = { kinesisEndpoint: endpoint, dynamoEndpoint, streamName: stream.name, fanOut: false };
  // The last shards to end are read by themselves.
  return await recordsPerSecond(place, Math.floor(records * 0.8));
}

async function fill(stream: KinesisStream, records: number, sizeBytes: number): Promise<void> {
  const recordOf = recordMaker({ sizeBytes, asText: false });
  for (let first = 0; first < records; first += portion) {
    const count = Math.min(portion, records - first);
    await stream.put(Array.from({ length: count }, (_, index) => recordOf(first + index)));
  }
}

/** From the first record to the one with the number `count`, with the default settings of the connector. */
async function recordsPerSecond(place: Place, count: number): Promise<number> {
  const { kinesisEndpoint, dynamoEndpoint, streamName, fanOut } = place;
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const applicationName = uniqueName("latency");
  using clients = createAwsClients({ region: "us-east-1", kinesisEndpoint, dynamoEndpoint, credentials });
  const host = {
    clock: systemClock,
    logger: silentLogger,
    meter: silentMeter,
    troubles: silentTroubles,
    releasePartition: () => Promise.resolve(),
  };
  await using consumer = new KinesisConsumer(clients, host, {
    streamName,
    applicationName,
    instanceId: "0",
    initialPosition: { kind: "trim-horizon" },
    retrieval: fanOut
      ? { kind: "fan-out", consumerName: applicationName }
      : { kind: "polling", idleMs: 1_000 },
    aggregates: { kind: "split", filterByHashKey: true },
    checkpointIntervalMs: 60_000,
    backoffMs: 3_000,
    checkpointAttempts: 3,
    maxBufferedRecords: 1_000,
    maxBufferedBytes: 64 * 1_024 * 1_024,
  });
  const stop = new AbortController();
  await consumer.open(stop.signal);
  let firstMs = 0;
  for (let number = 0; number < count; number += 1) {
    const record = await consumer.read(stop.signal);
    if (number === 0) firstMs = performance.now();
    record.ack();
  }
  const seconds = (performance.now() - firstMs) / 1_000;
  stop.abort(new Error("enough"));
  return count / seconds;
}

/** Node's own name lookup, but for `host`. */
function resolveToLoopback(host: string): void {
  const real = dns.lookup;
  const lookup = (name: string, ...rest: unknown[]): unknown =>
    Reflect.apply(real, dns, [name === host ? "127.0.0.1" : name, ...rest]);
  dns.lookup = lookup as typeof dns.lookup; // the same arguments and result
}

function report(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
