import os from "node:os";
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
import { DoubleProcess } from "./double-process.ts";

const usage = `npm run bench -- shards [options]       what many idle shards cost, and how fast they change hands

Runs the real CLI on a stream of empty shards, with the programmable Kinesis and DynamoDB Local. Linux only.

  --shards N      default 1000
  --seconds N     how long the steady state is measured; default 60
  --fan-out       read by enhanced fan-out; default: poll
  --latency MS    measure a cold start instead: one record in each shard, and a relay that makes each call to Kinesis and to
                  DynamoDB take so much longer
  --profile DIR   with --latency: writes a CPU profile of the CLI to DIR
`;

const { values } = parseArgs({
  options: {
    shards: { type: "string", default: "1000" },
    seconds: { type: "string", default: "60" },
    "fan-out": { type: "boolean", default: false },
    latency: { type: "string" },
    profile: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) process.stdout.write(usage);
else if (values.latency !== undefined) await measureStart(Number(values.latency));
else await measure(Number(values.shards), Number(values.seconds), values["fan-out"]);

async function measure(shards: number, seconds: number, fanOut: boolean): Promise<void> {
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

  print(`${shards} idle shards, by ${fanOut ? "fan-out" : "polling"}`, [
    ["from start to all leases taken, s", (started / 1_000).toFixed(1)],
    ["CPU until then, s", before.cpu.toFixed(1)],
    ["peak RSS, MB", (peak / 1e6).toFixed(0)],
    ["CPU while idle, cores", (cpu / seconds).toFixed(2)],
    ["DynamoDB writes a lease and minute", ((writes * 60) / seconds / shards).toFixed(1)],
    ["from a second worker's start to half of the leases its own, s", (shared / 1_000).toFixed(1)],
    ["from kill -9 of the first to all of its leases taken over, s", (takenOver / 1_000).toFixed(1)],
    ["from SIGTERM to all leases released, s", (released / 1_000).toFixed(1)],
  ]);
}

async function measureStart(roundTripMs: number): Promise<void> {
  await using kinesis = await DoubleProcess.start();
  await using dynamo = await startDynamoDbLocal({ report });
  const { shards, "fan-out": fanOut, profile } = values;
  const start = await measureColdStart({
    kinesisEndpoint: kinesis.endpoint,
    dynamoEndpoint: dynamo.endpoint,
    name: uniqueName("cold-start"),
    shards: Number(shards),
    roundTripMs,
    fanOut,
    withinMs: 300_000,
    nodeArgs: profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`],
  });
  print(`${shards} shards, by ${fanOut ? "fan-out" : "polling"}, calls ${roundTripMs} ms longer`, [
    ["from the start of the process to all leases taken, s", (start.leasesTakenMs / 1_000).toFixed(1)],
    ["from the start of the process to every shard read, s", (start.everyShardReadMs / 1_000).toFixed(1)],
    ["CPU until then, s", start.cpuSeconds.toFixed(1)],
    ["peak RSS, MB", (start.peakResidentBytes / 1e6).toFixed(0)],
    ["leases lost", String(start.leasesLost)],
  ]);
}

function print(title: string, lines: readonly (readonly [string, string])[]): void {
  process.stdout.write(`${title}; load average ${(os.loadavg()[0] ?? 0).toFixed(1)}\n`);
  for (const [what, value] of lines) process.stdout.write(`  ${what.padEnd(64)}${value.padStart(8)}\n`);
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
