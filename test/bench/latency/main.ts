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
import type { Measurement } from "../document.ts";
import { DoubleProcess } from "../double-process.ts";
import { underLoad } from "../load.ts";
import { measureAddedLatency, WatchedBroker } from "./added-latency.ts";
import { type LatencyBenchOptions, readLatencyOptions, usage } from "./latency-options.ts";
import {
  type LatencyValue,
  type LatencyValues,
  manyShards,
  manyShardsCallMs,
  roundTrips,
  shortfalls,
  table,
  ways,
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
  benchmark: "latency",
  usage,
  readOptions: readLatencyOptions,
  measure,
  table,
  faults: (document, bench) => (bench.check ? shortfalls(document, bench) : []),
});

async function measure(bench: LatencyBenchOptions): Promise<Measurement<LatencyValue>> {
  resolveToLoopback(awsHost);
  report("starting the programmable Kinesis and DynamoDB Local …");
  await using kinesis = await DoubleProcess.start();
  await using dynamo = await startDynamoDbLocal({ report });
  const endpoints = { kinesisEndpoint: kinesis.endpoint, dynamoEndpoint: dynamo.endpoint };
  const { load, result: values } = await underLoad(async (): Promise<LatencyValues> => {
    const added = bench.only === "reading" ? {} : await measureAdded(endpoints, bench);
    if (bench.only === "added") return added;
    const oneShard = await measureOneShard(kinesis.endpoint, dynamo.endpoint, bench);
    const many = await measureManyShards(kinesis.endpoint, dynamo.endpoint);
    return { ...added, ...oneShard, manyShardsRecordsPerSecond: many };
  });
  return { rounds: [{ loads: { latency: load }, values }] };
}

async function measureAdded(
  endpoints: Readonly<Record<"kinesisEndpoint" | "dynamoEndpoint", string>>,
  { rate, seconds, addedBytes: sizeBytes }: LatencyBenchOptions,
): Promise<LatencyValues> {
  await using broker = await WatchedBroker.start(report);
  const values: LatencyValues = {};
  for (const roundTripMs of roundTrips)
    for (const way of ways) {
      const place = `${way}.${roundTripMs}ms` as const;
      report(`added latency, ${way} at ${roundTripMs} ms …`);
      const found = await measureAddedLatency(
        { ...endpoints, broker },
        { rate, seconds, sizeBytes },
        { roundTripMs, fanOut: way === "fan-out" },
      );
      report(`p50 ${found.addedP50.toFixed(1)} ms, p99 ${found.addedP99.toFixed(1)} ms`);
      values[`${place}.addedP50Ms`] = found.addedP50;
      values[`${place}.addedP99Ms`] = found.addedP99;
      values[`${place}.endToEndP50Ms`] = found.endToEndP50;
      values[`${place}.endToEndP99Ms`] = found.endToEndP99;
    }
  return values;
}

async function measureOneShard(
  endpoint: string,
  dynamoEndpoint: string,
  { megabytes, sizeBytes }: LatencyBenchOptions,
): Promise<LatencyValues> {
  await using stream = await KinesisStream.create(endpoint, uniqueName("latency"), 1);
  const records = Math.ceil((megabytes * 1e6) / sizeBytes);
  await fill(stream, records, sizeBytes);
  const values: LatencyValues = {};
  for (const roundTripMs of roundTrips) {
    report(`one shard at ${roundTripMs} ms …`);
    await using relay = await startDelayingRelay(Number(new URL(endpoint).port), roundTripMs / 2);
    const kinesisEndpoint = `http://${awsHost}:${relay.port}`;
    const place = { kinesisEndpoint, dynamoEndpoint, streamName: stream.name };
    for (const way of ways) {
      const perSecond = await recordsPerSecond({ ...place, fanOut: way === "fan-out" }, records);
      values[`${way}.${roundTripMs}ms.megabytesPerSecond`] = (perSecond * sizeBytes) / 1e6;
    }
  }
  return values;
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
