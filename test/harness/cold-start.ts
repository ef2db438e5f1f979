import { Cli } from "./cli.ts";
import { startDelayingRelay } from "./delaying-relay.ts";
import { eventually } from "./eventually.ts";
import { KinesisStream } from "./kinesis-stream.ts";
import { type LeaseRow, LeaseRows } from "./lease-rows.ts";
import { sourceConfig } from "./pipeline.ts";
import { cpuSeconds, peakResidentBytes } from "./process-usage.ts";

export interface ColdStartOptions {
  readonly kinesisEndpoint: string;
  readonly dynamoEndpoint: string;
  /** Of the stream, the lease table and the source. */
  readonly name: string;
  readonly shards: number;
  /** What each call to Kinesis and to DynamoDB takes longer than on this machine, milliseconds. */
  readonly roundTripMs: number;
  readonly fanOut: boolean;
  /** Longest time until every shard is read, milliseconds. */
  readonly withinMs: number;
  /** Options of Node itself. */
  readonly nodeArgs?: readonly string[];
}

/** One start of the real CLI on a fresh lease table. Times count from the start of the process. */
export interface ColdStart {
  readonly leasesTakenMs: number;
  /** A record of each shard is on standard output. */
  readonly everyShardReadMs: number;
  readonly leasesLost: number;
  /** Until every shard is read, of the CLI alone. */
  readonly cpuSeconds: number;
  readonly peakResidentBytes: number;
}

/**
 * Starts the real CLI on a stream with one record in each shard, over a relay that delays each call to Kinesis and to DynamoDB.
 * Linux only.
 *
 * @throws Error when a shard is not read in time, or when the CLI does not end with 0.
 */
export async function measureColdStart(options: ColdStartOptions): Promise<ColdStart> {
  const { kinesisEndpoint, dynamoEndpoint, name, shards, roundTripMs, fanOut, withinMs } = options;
  await using stream = await KinesisStream.create(kinesisEndpoint, name, shards);
  await fillEachShard(stream);
  await using toKinesis = await startDelayingRelay(portOf(kinesisEndpoint), roundTripMs / 2);
  await using toDynamo = await startDelayingRelay(portOf(dynamoEndpoint), roundTripMs / 2);
  using rows = new LeaseRows(dynamoEndpoint);
  const config = sourceConfig({
    kinesisEndpoint: `http://127.0.0.1:${toKinesis.port}`,
    dynamoEndpoint: `http://127.0.0.1:${toDynamo.port}`,
    streamName: name,
    applicationName: name,
    config: { useEnhancedFanOut: fanOut },
  });
  await using cli = new Cli(
    ["run", "--source-type", "kinesis", "--name", name, "--output", "console"].concat(
      "--source-config",
      JSON.stringify(config),
    ),
    { nodeArgs: options.nodeArgs ?? [] },
  );
  const sinceStart = () => Date.now() - cli.startedAt;
  let leasesTakenMs: number | undefined;
  const taken = eventually(
    "all leases to be taken",
    async () => cli.running && (await ownedCount(rows, name)) === shards,
    { timeoutMs: withinMs, everyMs: 250 },
  ).then(() => {
    leasesTakenMs = sinceStart();
  });
  await eventually(
    `a record of each of ${shards} shards on standard output`,
    () => {
      if (!cli.running) throw new Error(`the CLI ended:\n${cli.output.slice(-2_000)}`);
      return shardsOf(cli.stdout).size === shards;
    },
    { timeoutMs: withinMs, everyMs: 100 },
  );
  const everyShardReadMs = sinceStart();
  const cpu = await cpuSeconds(cli.pid);
  const peak = await peakResidentBytes(cli.pid);
  await taken;
  const { code } = await cli.stop();
  if (code !== 0) throw new Error(`the CLI ended with ${code}:\n${cli.stderr.join("\n").slice(-2_000)}`);
  return {
    leasesTakenMs: Math.min(leasesTakenMs ?? everyShardReadMs, everyShardReadMs),
    everyShardReadMs,
    leasesLost: cli.stderr.filter((line) => line.includes("lease lost")).length,
    cpuSeconds: cpu,
    peakResidentBytes: peak,
  };
}

async function fillEachShard(stream: KinesisStream): Promise<void> {
  const shards = await stream.openShards();
  await stream.put(
    shards.map(({ ShardId, HashKeyRange }) => ({
      key: ShardId ?? "",
      data: Buffer.from(ShardId ?? ""),
      hashKey: HashKeyRange?.StartingHashKey,
    })),
  );
}

function shardsOf(lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => /shardId-\d+/.exec(line)?.[0] ?? []));
}

async function ownedCount(rows: LeaseRows, table: string): Promise<number> {
  const all: readonly LeaseRow[] = await rows.ofAny(table);
  return all.filter((row) => row["leaseOwner"] !== undefined).length;
}

function portOf(endpoint: string): number {
  return Number(new URL(endpoint).port);
}
