import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startDynamoDbLocal } from "@pulsar-ts-io/testkit";
import { Cli } from "../harness/cli.ts";
import { measureColdStart } from "../harness/cold-start.ts";
import { eventually } from "../harness/eventually.ts";
import { KinesisStream } from "../harness/kinesis-stream.ts";
import { type LeaseRow, LeaseRows } from "../harness/lease-rows.ts";
import { sourceConfig } from "../harness/pipeline.ts";
import { cpuSeconds, peakResidentBytes } from "../harness/process-usage.ts";
import { uniqueName } from "../stack.ts";
import { runBenchmark } from "./benchmark.ts";
import type { BenchDocument, Measurement } from "./document.ts";
import { DoubleProcess } from "./double-process.ts";
import { figureTable } from "./figure-table.ts";
import { underLoad } from "./load.ts";
import {
  type CommonOptions,
  commonOptions,
  commonUsage,
  integerOption,
  readCommonOptions,
} from "./options.ts";

const usage = `npm run bench -- shards [options]       what many idle shards cost, and how fast they change hands

Runs the real CLI on a stream of empty shards, with the programmable Kinesis and DynamoDB Local. Linux only.

  --shards N      default 1000
  --seconds N     how long the steady state is measured; default 60
  --fan-out       read by enhanced fan-out; default: poll
  --latency MS    measure a cold start instead: one record in each shard, and a relay that makes each call to Kinesis and to
                  DynamoDB take so much longer
  --profile DIR   with --latency: writes a CPU profile of the CLI to DIR
${commonUsage}
`;

interface ShardsBenchOptions extends CommonOptions {
  readonly shards: number;
  readonly seconds: number;
  readonly fanOut: boolean;
  /** `undefined`: no cold start, but the steady state. */
  readonly latencyMs: number | undefined;
  readonly profileFolder: string | undefined;
}

const steadyRows = [
  { name: "leasesTakenSeconds", title: "from start to all leases taken, s", digits: 1 },
  { name: "startCpuSeconds", title: "CPU until then, s", digits: 1 },
  { name: "peakResidentMegabytes", title: "peak RSS, MB", digits: 0 },
  { name: "idleCores", title: "CPU while idle, cores", digits: 2 },
  { name: "writesPerLeaseAndMinute", title: "DynamoDB writes a lease and minute", digits: 1 },
  {
    name: "sharedSeconds",
    title: "from a second worker's start to half of the leases its own, s",
    digits: 1,
  },
  {
    name: "takenOverSeconds",
    title: "from kill -9 of the first to all of its leases taken over, s",
    digits: 1,
  },
  { name: "releasedSeconds", title: "from SIGTERM to all leases released, s", digits: 1 },
] as const;

const coldRows = [
  { name: "leasesTakenSeconds", title: "from the start of the process to all leases taken, s", digits: 1 },
  { name: "everyShardReadSeconds", title: "from the start of the process to every shard read, s", digits: 1 },
  { name: "startCpuSeconds", title: "CPU until then, s", digits: 1 },
  { name: "peakResidentMegabytes", title: "peak RSS, MB", digits: 0 },
  { name: "leasesLost", title: "leases lost", digits: 0 },
] as const;

type ShardsValue = (typeof steadyRows | typeof coldRows)[number]["name"];
type Values = Readonly<Partial<Record<ShardsValue, number>>>;

await runBenchmark({
  benchmark: "shards",
  usage,
  readOptions,
  measure: async (bench): Promise<Measurement<ShardsValue>> => {
    const { load, result: values } = await underLoad(() =>
      bench.latencyMs === undefined ? measureSteadyState(bench) : measureStart(bench, bench.latencyMs),
    );
    return { rounds: [{ loads: { shards: load }, values }] };
  },
  table: shardsTable,
});

function readOptions(args: readonly string[]): ShardsBenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      shards: { type: "string", default: "1000" },
      seconds: { type: "string", default: "60" },
      "fan-out": { type: "boolean", default: false },
      latency: { type: "string" },
      profile: { type: "string" },
      ...commonOptions,
    },
  });
  if (values.help) return undefined;
  return {
    shards: integerOption("shards", values.shards, 2, 20_000),
    seconds: integerOption("seconds", values.seconds, 1, 86_400),
    fanOut: values["fan-out"],
    latencyMs: values.latency === undefined ? undefined : integerOption("latency", values.latency, 0, 10_000),
    profileFolder: values.profile,
    ...readCommonOptions(values),
  };
}

function shardsTable(document: BenchDocument, { shards, fanOut, latencyMs }: ShardsBenchOptions): string {
  const way = fanOut ? "fan-out" : "polling";
  if (latencyMs === undefined) return figureTable(`${shards} idle shards, by ${way}`, steadyRows, document);
  return figureTable(`${shards} shards, by ${way}, calls ${latencyMs} ms longer`, coldRows, document);
}

async function measureSteadyState({ shards, seconds, fanOut }: ShardsBenchOptions): Promise<Values> {
  await using kinesis = await DoubleProcess.start();
  await using dynamo = await startDynamoDbLocal({ report });
  await using stream = await KinesisStream.create(kinesis.endpoint, "bench", shards);
  using rows = new LeaseRows(dynamo.endpoint);
  const name = uniqueName("shards");
  const config = sourceConfig({
    kinesisEndpoint: kinesis.endpoint,
    dynamoEndpoint: dynamo.endpoint,
    streamName: stream.name,
    applicationName: name,
    config: { useEnhancedFanOut: fanOut },
  });
  const args = ["run", "--source-type", "kinesis", "--name", name, "--output", "console"];
  const start = () => new Cli([...args, "--source-config", JSON.stringify(config)], { discardStdout: true });
  const owned = async (by: (readers: readonly string[]) => boolean) =>
    (await rows.tableExists(name)) && by(readersOf(await rows.of(name)));

  await using first = start();
  const started = await millisecondsUntil("all leases taken", () => owned((all) => all.length === shards));
  const before = { cpu: await cpuSeconds(first.pid), writes: await writesOf(rows, name) };
  report(`${shards} leases taken, measuring for ${seconds} s …`);
  await delay(seconds * 1_000);
  const cpu = (await cpuSeconds(first.pid)) - before.cpu;
  const writes = (await writesOf(rows, name)) - before.writes;
  const peak = await peakResidentBytes(first.pid);

  report("a second worker …");
  await using second = start();
  const firstOwner = readersOf(await rows.of(name))[0];
  const half = (all: readonly string[]) =>
    all.filter((owner) => owner !== firstOwner).length * 2 >= shards - 1;
  const shared = await millisecondsUntil("the leases shared", () => owned(half));
  report("kill -9 …");
  await first.crash();
  const others = (all: readonly string[]) => all.length === shards && !all.includes(firstOwner ?? "");
  const takenOver = await millisecondsUntil("the leases taken over", () => owned(others));
  report("SIGTERM …");
  const stopped = second.stop();
  const released = await millisecondsUntil("the leases released", () => owned((all) => all.length === 0));
  const { code } = await stopped;
  if (code !== 0) throw new Error(`the CLI ended with ${code}:\n${second.output}`);

  return {
    leasesTakenSeconds: started / 1_000,
    startCpuSeconds: before.cpu,
    peakResidentMegabytes: peak / 1e6,
    idleCores: cpu / seconds,
    writesPerLeaseAndMinute: (writes * 60) / seconds / shards,
    sharedSeconds: shared / 1_000,
    takenOverSeconds: takenOver / 1_000,
    releasedSeconds: released / 1_000,
  };
}

async function measureStart(
  { shards, fanOut, profileFolder }: ShardsBenchOptions,
  roundTripMs: number,
): Promise<Values> {
  await using kinesis = await DoubleProcess.start();
  await using dynamo = await startDynamoDbLocal({ report });
  const start = await measureColdStart({
    kinesisEndpoint: kinesis.endpoint,
    dynamoEndpoint: dynamo.endpoint,
    name: uniqueName("cold-start"),
    shards,
    roundTripMs,
    fanOut,
    withinMs: 300_000,
    nodeArgs: profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`],
  });
  return {
    leasesTakenSeconds: start.leasesTakenMs / 1_000,
    everyShardReadSeconds: start.everyShardReadMs / 1_000,
    startCpuSeconds: start.cpuSeconds,
    peakResidentMegabytes: start.peakResidentBytes / 1e6,
    leasesLost: start.leasesLost,
  };
}

/** Who reads: during a hand-off that is not yet the owner. */
function readersOf(leases: readonly LeaseRow[]): readonly string[] {
  return leases.flatMap((lease) => (lease["checkpointOwner"] ?? lease["leaseOwner"])?.S ?? []);
}

/** Each write of a worker moves a lease's counter by one. */
async function writesOf(rows: LeaseRows, table: string): Promise<number> {
  const leases = await rows.of(table);
  return leases.reduce((sum, lease) => sum + Number(lease["leaseCounter"]?.N), 0);
}

async function millisecondsUntil(what: string, look: () => Promise<boolean>): Promise<number> {
  const start = performance.now();
  await eventually(what, look, { timeoutMs: 300_000, everyMs: 100 });
  return performance.now() - start;
}

function report(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
