import process from "node:process";
import { Cli } from "../harness/cli.ts";
import { eventually } from "../harness/eventually.ts";
import { sourceConfig } from "../harness/pipeline.ts";
import { cpuSeconds, familyCpuSeconds, peakResidentBytes } from "../harness/process-usage.ts";
import { uniqueName } from "../stack.ts";
import { requireExactlyOnce } from "./arrivals.ts";
import type { BenchOptions } from "./bench-options.ts";
import type { BenchStream } from "./bench-stream.ts";
import type { BenchBroker } from "./broker.ts";
import { isCheckpointed } from "./checkpoints.ts";
import type { Series } from "./document.ts";
import type { DoubleProcess } from "./double-process.ts";
import { RunSampler } from "./run-sampler.ts";

/** What the CLI talks to, each in a process of its own. */
export interface Stage {
  readonly kinesis: DoubleProcess;
  readonly dynamoEndpoint: string;
  /** `undefined`: the records go to the console. */
  readonly broker: BenchBroker | undefined;
  readonly stream: BenchStream;
}

/** One pass of all records through the real CLI. CPU and wall time from its first call for records to the last one stored, or what {@link RoundOptions} say. */
export interface Round {
  /** That were stored in this time. */
  readonly records: number;
  readonly wallSeconds: number;
  /** User and kernel mode, of the whole process and its children. */
  readonly cliCpuSeconds: number;
  /** What the CLI had used when it called GetRecords for the first time: start, table, leases. */
  readonly startCpuSeconds: number;
  /** The most memory it ever had resident. */
  readonly peakResidentBytes: number;
  /** The same, up to its first GetRecords call: Node, the SDK and our code. */
  readonly startResidentBytes: number;
  readonly doubleCpuSeconds: number;
  /** `undefined` without a broker of our own. */
  readonly brokerCpuSeconds: number | undefined;
  /** Of the second half of the records. `undefined` without a broker, which says when that begins. */
  readonly laterCpuMicrosPerRecord: number | undefined;
  /** The time of that half, microseconds of the clock that profiles use. */
  readonly laterMicros: readonly [number, number] | undefined;
  /** Of the CLI: as {@link RunSampler} has them. */
  readonly series: Readonly<Record<string, Series>>;
}

export interface RoundOptions
  extends Pick<BenchOptions, "records" | "receiveQueueSize" | "fanOut" | "profileFolder"> {
  /** The CLI's file; default the one that all benchmarks run. */
  readonly bin?: string;
  /** Default 1. */
  readonly instances?: number;
  /** How many records are stored before anything is measured, so that all instances are started; default 0. A broker tells. */
  readonly unmeasured?: number;
}

/** A round ends in failure when it is slower than 500 records a second after its first minute. */
const startMs = 60_000;
const longestRecordMs = 2;

/** @throws Error when the CLI fails, or a record did not arrive exactly once: such a round counts for nothing. */
export async function runRound(stage: Stage, options: RoundOptions): Promise<Round> {
  const name = uniqueName("bench");
  const topic = `persistent://public/default/${name}`;
  await keepMessages(stage.broker, name);
  const reading = options.fanOut ? "SubscribeToShard" : "GetRecords";
  const callsBefore = await stage.kinesis.calls(reading);
  await using cli = startCli(stage, { ...options, name, topic });
  await until(cli, `the first ${reading} call`, { timeoutMs: startMs, everyMs: 10 }, async () => {
    return (await stage.kinesis.calls(reading)) > callsBefore;
  });
  const { unmeasured = 0 } = options;
  if (unmeasured > 0) {
    await until(cli, `record ${unmeasured}`, { timeoutMs: startMs + unmeasured, everyMs: 50 }, async () => {
      return (await storedRecords(stage, topic)) >= unmeasured;
    });
  }
  const before = unmeasured > 0 ? await storedRecords(stage, topic) : 0;
  const start = await usage(stage, cli);
  const startResidentBytes = await peakResidentBytes(cli.pid);
  const timeoutMs = startMs + options.records * longestRecordMs;
  const sampler = new RunSampler(cli.pid, stage.stream.records);
  let middle: Middle | undefined;
  await until(cli, "the last record", { timeoutMs, everyMs: 50 }, async () => {
    const stored = await storedRecords(stage, topic);
    await sampler.sample(stored);
    if (middle === undefined && stored >= stage.stream.records / 2)
      middle = { stored, cpu: await familyCpuSeconds(cli.pid), atMicros: nowMicros() };
    return stage.broker === undefined
      ? await isCheckpointed(stage.dynamoEndpoint, name, stage.stream)
      : stored >= stage.stream.records;
  });
  const end = await usage(stage, cli);
  const endMicros = nowMicros();
  const peak = await peakResidentBytes(cli.pid);
  const exit = await cli.stop();
  if (exit.code !== 0) throw new Error(`the CLI ended with ${exit.code ?? exit.signal}:\n${cli.output}`);
  await check(stage, cli, topic);
  return {
    records: stage.stream.records - before,
    wallSeconds: (end.atMs - start.atMs) / 1_000,
    cliCpuSeconds: end.cli - start.cli,
    startCpuSeconds: start.cli,
    peakResidentBytes: peak,
    startResidentBytes,
    doubleCpuSeconds: end.double - start.double,
    brokerCpuSeconds: end.broker === undefined ? undefined : end.broker - (start.broker ?? 0),
    laterCpuMicrosPerRecord: microsAfter(middle, end.cli, stage.stream.records),
    laterMicros: middle === undefined ? undefined : [middle.atMicros, endMicros],
    series: sampler.series,
  };
}

type CliStart = RoundOptions & { readonly name: string; readonly topic: string };

function startCli({ kinesis, dynamoEndpoint, broker, stream }: Stage, start: CliStart): Cli {
  const { name, topic, receiveQueueSize, fanOut, profileFolder, instances = 1, bin } = start;
  const config = sourceConfig({
    kinesisEndpoint: kinesis.endpoint,
    dynamoEndpoint,
    streamName: stream.name,
    applicationName: name,
    config: { receiveQueueSize, useEnhancedFanOut: fanOut, kinesisRecordProperties: usualProperties },
  });
  const destination =
    broker === undefined
      ? ["--output", "console"]
      : ["--broker-service-url", broker.serviceUrl, "--destination-topic-name", topic];
  return new Cli(
    [
      ...["run", "--source-type", "kinesis", "--name", name, "--parallelism", String(instances)],
      ...destination,
      ...["--source-config", JSON.stringify(config)],
    ],
    {
      bin,
      discardStdout: true,
      nodeArgs: profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`],
      env: { NODE_OPTIONS: process.env["NODE_OPTIONS"] },
    },
  );
}

/** The connector's default. */
const usualProperties =
  "kinesis.arrival.timestamp,kinesis.encryption.type,kinesis.partition.key,kinesis.sequence.number";

/** A subscription keeps the broker from deleting messages that nobody has read yet. */
async function keepMessages(broker: BenchBroker | undefined, name: string): Promise<void> {
  await broker?.admin.createTopic(`persistent://public/default/${name}`);
  await broker?.admin.request("PUT", `persistent/public/default/${name}/subscription/keep`);
}

interface Middle {
  readonly stored: number;
  readonly cpu: number;
  readonly atMicros: number;
}

/** All processes of a machine share this clock. */
function nowMicros(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

function microsAfter(middle: Middle | undefined, endCpuSeconds: number, records: number): number | undefined {
  if (middle === undefined || middle.stored >= records) return undefined;
  return ((endCpuSeconds - middle.cpu) * 1e6) / (records - middle.stored);
}

async function storedRecords({ broker }: Stage, topic: string): Promise<number> {
  return broker === undefined ? 0 : (await broker.admin.stats(topic)).msgInCounter;
}

async function until(
  cli: Cli,
  what: string,
  pace: { readonly timeoutMs: number; readonly everyMs: number },
  look: () => Promise<boolean>,
): Promise<void> {
  const check = async () => {
    if (cli.running) return await look();
    throw new Error(`the CLI ended before ${what}:\n${cli.output}`);
  };
  await eventually(what, check, pace);
}

async function usage({ kinesis, broker }: Stage, cli: Cli) {
  const [ofCli, ofDouble, ofBroker] = await Promise.all([
    familyCpuSeconds(cli.pid),
    cpuSeconds(kinesis.pid),
    broker?.pid === undefined ? undefined : cpuSeconds(broker.pid),
  ]);
  return { atMs: performance.now(), cli: ofCli, double: ofDouble, broker: ofBroker };
}

async function check({ broker, stream }: Stage, cli: Cli, topic: string): Promise<void> {
  if (broker !== undefined) {
    await requireExactlyOnce(broker.serviceUrl, topic, stream);
    await broker.admin.deleteTopic(topic);
  } else if (!cli.stderr.some((line) => line.includes("run ended") && hasCount(line, stream.records))) {
    throw new Error(`the round is void: the CLI does not say that it wrote ${stream.records} records`);
  }
}

function hasCount(line: string, records: number): boolean {
  const fields = JSON.parse(line) as { readonly written?: unknown }; // a log line of the CLI
  return fields.written === records;
}
