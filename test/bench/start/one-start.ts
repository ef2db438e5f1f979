import { Cli } from "../../harness/cli.ts";
import { eventually } from "../../harness/eventually.ts";
import type { KinesisStream } from "../../harness/kinesis-stream.ts";
import { collectLoadedModules, type LoadedModules } from "../../harness/loaded-modules.ts";
import { sourceConfig } from "../../harness/pipeline.ts";
import { cpuSeconds, peakResidentBytes } from "../../harness/process-usage.ts";

/** What a start reads, and where. */
export interface StartStage {
  readonly kinesisEndpoint: string;
  readonly dynamoEndpoint: string;
  readonly stream: KinesisStream;
  readonly profileFolder?: string | undefined;
  /** The CLI to start; default that of all benchmarks. */
  readonly bin?: string;
}

/** Until the first record is on standard output. */
export interface Start {
  readonly cpuSeconds: number;
  /** The most memory it had resident until then. */
  readonly residentBytes: number;
  readonly ms: number;
}

const withinMs = 60_000;

/**
 * Starts the real CLI until its first record is written, and stops it cleanly. Linux only.
 *
 * @param table lease table; the same one again has leases whose positions are stored, which need a new record.
 */
export async function measureStart(stage: StartStage, table: string): Promise<Start> {
  const { profileFolder } = stage;
  const nodeArgs = profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
  return await startOnce(stage, table, { nodeArgs });
}

/** What a start on a new lease table loads until its end. */
export async function loadedByStart(stage: StartStage, table: string): Promise<LoadedModules> {
  return await collectLoadedModules(async (env) => {
    await startOnce(stage, table, { env });
  });
}

/** A Node that does nothing but print a line. */
export async function measureBareNode(): Promise<Start> {
  await using node = new Cli([], {
    nodeArgs: ["-e", "console.log('ready'); setInterval(() => {}, 1e9)", "--"],
  });
  return await untilFirstLine(node);
}

async function startOnce(
  { kinesisEndpoint, dynamoEndpoint, stream, bin }: StartStage,
  table: string,
  options: ConstructorParameters<typeof Cli>[1],
): Promise<Start> {
  const config = sourceConfig({
    kinesisEndpoint,
    dynamoEndpoint,
    streamName: stream.name,
    applicationName: table,
    config: { useEnhancedFanOut: false },
  });
  const args = ["run", "--source-type", "kinesis", "--name", table, "--output", "console"];
  await using cli = new Cli([...args, "--source-config", JSON.stringify(config)], { ...options, bin });
  const start = await untilFirstLine(cli);
  const { code } = await cli.stop();
  if (code !== 0) throw new Error(`the CLI ended with ${code}:\n${cli.output}`);
  return start;
}

async function untilFirstLine(cli: Cli): Promise<Start> {
  const check = () => {
    if (!cli.running) throw new Error(`the process ended before its first record:\n${cli.output}`);
    return cli.stdout.length > 0;
  };
  await eventually("the first record", check, { timeoutMs: withinMs, everyMs: 5 });
  const ms = Date.now() - cli.startedAt;
  const [cpu, residentBytes] = await Promise.all([cpuSeconds(cli.pid), peakResidentBytes(cli.pid)]);
  return { cpuSeconds: cpu, residentBytes, ms };
}
