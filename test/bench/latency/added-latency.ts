import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { PulsarAdmin } from "@pulsar-ts-io/testkit";
import { startDelayingRelay } from "../../harness/delaying-relay.ts";
import { eventually } from "../../harness/eventually.ts";
import { KinesisStream } from "../../harness/kinesis-stream.ts";
import { runPipeline } from "../../harness/pipeline.ts";
import { TcpProxy } from "../../harness/tcp-proxy.ts";
import { uniqueName } from "../../stack.ts";
import { type BenchBroker, openBroker } from "../broker.ts";
import { markedRecord, Sightings } from "./marked-records.ts";

/** Subscriptions go over HTTP/2 to hosts of AWS only. */
const awsHost = "kinesis.us-east-1.amazonaws.com";
const preload = fileURLToPath(new URL("resolve-to-loopback.cjs", import.meta.url));
const shards = 4;
/** Records that are sent before any counts, in seconds: for the compilers. */
const warmUpSeconds = 3;
const feedEveryMs = 10;
/** Of the records that count: a mark that two HTTP/2 frames share is not seen. */
const leastSeen = 0.95;

export interface AddedLatencyOptions {
  /** Records a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly sizeBytes: number;
}

/** Milliseconds. */
export interface AddedLatency {
  /** From the relay's write of the record to the CLI until the CLI's write of it to the broker arrived. */
  readonly addedP50: number;
  readonly addedP99: number;
  /** The same from the start of the call that put the record. */
  readonly endToEndP50: number;
  readonly endToEndP99: number;
}

/** A broker that is reached through a proxy, which sees every record on its way. Disposing ends both. */
export class WatchedBroker implements AsyncDisposable {
  readonly admin: PulsarAdmin;
  readonly serviceUrl: string;
  readonly #proxy: TcpProxy;
  readonly #broker: BenchBroker;
  readonly #watch: { sightings: Sightings };

  private constructor(proxy: TcpProxy, broker: BenchBroker, watch: { sightings: Sightings }) {
    this.#proxy = proxy;
    this.#broker = broker;
    this.#watch = watch;
    this.serviceUrl = addressOf(proxy.port);
    this.admin = broker.admin;
  }

  static async start(report: (line: string) => void): Promise<WatchedBroker> {
    const broker = await openBroker(report);
    const port = Number(new URL(broker.serviceUrl).port);
    const watch = { sightings: new Sightings() };
    const proxy = await TcpProxy.start(({ client, server }) => {
      client.on("data", watch.sightings.reader());
      client.pipe(server);
      // The broker names its own address when it is asked where a topic is.
      server.on("data", (chunk: Buffer) => client.write(redirected(chunk, port, proxy.port)));
      server.on("end", () => client.end());
    });
    proxy.target = port;
    return new WatchedBroker(proxy, broker, watch);
  }

  /** Of the connections that are opened from now on. */
  watch(): Sightings {
    this.#watch.sightings = new Sightings();
    return this.#watch.sightings;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#broker[Symbol.asyncDispose]();
    await this.#proxy[Symbol.asyncDispose]();
  }
}

const addressOf = (port: number) => `pulsar://127.0.0.1:${port}`;

/** Every address `from` in an answer becomes `to`: they have the same length, and no checksum covers commands. */
function redirected(chunk: Buffer, from: number, to: number): Buffer {
  const [before, after] = [addressOf(from), addressOf(to)];
  for (let at = chunk.indexOf(before); at >= 0; at = chunk.indexOf(before, at + 1)) {
    if (before.length !== after.length) throw new Error(`ports ${from} and ${to} have different lengths`);
    chunk.write(after, at, "latin1");
  }
  return chunk;
}

export interface LatencyStage {
  readonly kinesisEndpoint: string;
  readonly dynamoEndpoint: string;
  readonly broker: WatchedBroker;
}

/** @throws Error when a record did not arrive, or too few were seen on both sides. */
export async function measureAddedLatency(
  { kinesisEndpoint, dynamoEndpoint, broker }: LatencyStage,
  { rate, seconds, sizeBytes }: AddedLatencyOptions,
  { roundTripMs, fanOut }: { readonly roundTripMs: number; readonly fanOut: boolean },
): Promise<AddedLatency> {
  const name = uniqueName("added-latency");
  const topic = `persistent://public/default/${name}`;
  await broker.admin.createTopic(topic);
  await broker.admin.request("PUT", `persistent/public/default/${name}/subscription/keep`);
  await using stream = await KinesisStream.create(kinesisEndpoint, name, shards);
  const received = new Sightings();
  const relayPort = Number(new URL(kinesisEndpoint).port);
  await using relay = await startDelayingRelay(relayPort, roundTripMs / 2, () => received.reader());
  const handedOver = broker.watch();
  await using cli = runPipeline({
    kinesisEndpoint: `http://${awsHost}:${relay.port}`,
    dynamoEndpoint,
    pulsarServiceUrl: broker.serviceUrl,
    streamName: name,
    applicationName: name,
    topic,
    config: { useEnhancedFanOut: fanOut },
    // Compressed, a record could not be found in a batch.
    args: ["--producer-config", JSON.stringify({ compressionType: "NONE" })],
    nodeArgs: ["--require", preload],
    env: { PULSAR_TS_IO_BENCH_LOOPBACK_HOST: awsHost },
  });
  const stored = async () => (await broker.admin.stats(topic)).msgInCounter;
  const arrived = (count: number) =>
    eventually(
      `record ${count}`,
      async () => {
        if (!cli.running) throw new Error(`the CLI ended:\n${cli.output.slice(-2_000)}`);
        return (await stored()) >= count;
      },
      { timeoutMs: 90_000, everyMs: 50 },
    );
  // Number 0 shows that it reads.
  await stream.put([markedRecord(0, sizeBytes)]);
  await arrived(1);
  const putAt = await feed(stream, { rate, sizeBytes, seconds: warmUpSeconds + seconds });
  await arrived(1 + putAt.size);
  const { code } = await cli.stop();
  if (code !== 0) throw new Error(`the CLI ended with ${code}:\n${cli.output.slice(-2_000)}`);
  await broker.admin.deleteTopic(topic);
  return latencyOf({ putAt, received: received.times, handedOver: handedOver.times }, rate * warmUpSeconds);
}

/** Puts the records that are due every few milliseconds. @returns when each was put. */
async function feed(
  stream: KinesisStream,
  { rate, seconds, sizeBytes }: AddedLatencyOptions,
): Promise<ReadonlyMap<number, number>> {
  const putAt = new Map<number, number>();
  const startMs = performance.now();
  const last = rate * seconds;
  const calls: Promise<unknown>[] = [];
  for (let number = 0; number < last; await delay(feedEveryMs)) {
    const nowMs = performance.now();
    const due = Math.min(last, Math.floor(((nowMs - startMs) * rate) / 1_000));
    const records = Array.from({ length: due - number }, (_, index) =>
      markedRecord(number + 1 + index, sizeBytes),
    );
    for (let index = 0; index < records.length; index += 1) putAt.set(number + 1 + index, nowMs);
    if (records.length > 0) calls.push(stream.put(records));
    number = due;
  }
  await Promise.all(calls);
  return putAt;
}

interface Times {
  readonly putAt: ReadonlyMap<number, number>;
  readonly received: ReadonlyMap<number, number>;
  readonly handedOver: ReadonlyMap<number, number>;
}

function latencyOf({ putAt, received, handedOver }: Times, warmUp: number): AddedLatency {
  const added: number[] = [];
  const endToEnd: number[] = [];
  let counted = 0;
  for (const [number, putMs] of putAt) {
    if (number <= warmUp) continue;
    counted += 1;
    const [receivedMs, handedMs] = [received.get(number), handedOver.get(number)];
    if (handedMs !== undefined) endToEnd.push(handedMs - putMs);
    if (receivedMs !== undefined && handedMs !== undefined) added.push(handedMs - receivedMs);
  }
  if (added.length < counted * leastSeen)
    throw new Error(`only ${added.length} of ${counted} records were seen on both sides`);
  return {
    addedP50: percentile(added, 0.5),
    addedP99: percentile(added, 0.99),
    endToEndP50: percentile(endToEnd, 0.5),
    endToEndP99: percentile(endToEnd, 0.99),
  };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
