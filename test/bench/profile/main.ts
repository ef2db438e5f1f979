import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startDynamoDbLocal } from "@pulsar-ts-io/testkit";
import { fillStream } from "../bench-stream.ts";
import { runBenchmark } from "../benchmark.ts";
import { openBroker } from "../broker.ts";
import type { BenchDocument, Measurement } from "../document.ts";
import { DoubleProcess } from "../double-process.ts";
import { underLoad } from "../load.ts";
import {
  type CommonOptions,
  commonOptions,
  commonUsage,
  integerOption,
  readCommonOptions,
} from "../options.ts";
import { runRound } from "../round.ts";
import { type CpuProfile, type ProfileSummary, summariseProfile } from "./cpu-profile.ts";

const usage = `npm run bench -- profile [options]     what a record costs step by step, from a CPU profile of the real CLI

The profile is of the second half of the records. Its shares are of samples, the µs of the CPU time that the process used, the
profiler's included. Linux only.

  --records N     default 300000
  --size BYTES    of each record; default 1024
  --queue N       receiveQueueSize of the connector; default 1000
  --fan-out       read by enhanced fan-out; default: poll
${commonUsage}
`;

interface ProfileBenchOptions extends CommonOptions {
  readonly records: number;
  readonly sizeBytes: number;
  readonly receiveQueueSize: number;
  readonly fanOut: boolean;
}

/** The workspace's own files: in those that are published, many modules are one. */
const bin = fileURLToPath(new URL("../../../runtime/bin/pulsar-ts-io.js", import.meta.url));

type ProfileValue = "laterCpuMicrosPerRecord";

await runBenchmark({ benchmark: "profile", usage, readOptions, measure, table });

function readOptions(args: readonly string[]): ProfileBenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      records: { type: "string", default: "300000" },
      size: { type: "string", default: "1024" },
      queue: { type: "string", default: "1000" },
      "fan-out": { type: "boolean", default: false },
      ...commonOptions,
    },
  });
  if (values.help) return undefined;
  return {
    records: integerOption("records", values.records, 2_000, 5_000_000),
    sizeBytes: integerOption("size", values.size, 16, 1_048_576),
    receiveQueueSize: integerOption("queue", values.queue, 1, 1_000_000),
    fanOut: values["fan-out"],
    ...readCommonOptions(values),
  };
}

async function measure(bench: ProfileBenchOptions): Promise<Measurement<ProfileValue>> {
  const profileFolder = await mkdtemp(join(tmpdir(), "bench-profile-"));
  try {
    await using kinesis = await DoubleProcess.start();
    await using dynamo = await startDynamoDbLocal({ report });
    await using broker = await openBroker(report);
    report(`putting ${bench.records} records of ${bench.sizeBytes} bytes …`);
    await using stream = await fillStream(kinesis.endpoint, { ...bench, asText: false }, report);
    const stage = { kinesis, dynamoEndpoint: dynamo.endpoint, broker, stream };
    const { load, result: round } = await underLoad(() => runRound(stage, { ...bench, bin, profileFolder }));
    const { laterCpuMicrosPerRecord, laterMicros } = round;
    if (laterCpuMicrosPerRecord === undefined || laterMicros === undefined)
      throw new Error("the run was too short for a second half");
    const details: ProfileSummary = summariseProfile(await readProfile(profileFolder), laterMicros);
    return { rounds: [{ loads: { cli: load }, values: { laterCpuMicrosPerRecord } }], details };
  } finally {
    await rm(profileFolder, { recursive: true, force: true });
  }
}

/** The largest is that of the main thread. */
async function readProfile(folder: string): Promise<CpuProfile> {
  const files = (await readdir(folder)).map((name) => join(folder, name));
  const sizes = await Promise.all(files.map(async (file) => ({ file, size: (await stat(file)).size })));
  const [largest] = sizes.sort((one, other) => other.size - one.size);
  if (largest === undefined) throw new Error("the CLI wrote no profile");
  return JSON.parse(await readFile(largest.file, "utf8")) as CpuProfile; // V8's own format
}

function table(
  { figures, details }: BenchDocument,
  { records, sizeBytes, fanOut }: ProfileBenchOptions,
): string {
  const { steps } = details as ProfileSummary; // as the benchmark has it
  const micros = figures["laterCpuMicrosPerRecord"]?.median ?? Number.NaN;
  return [
    `second half of ${records} records of ${sizeBytes} bytes, by ${fanOut ? "fan-out" : "polling"}: ${micros.toFixed(1)} µs of CPU a record`,
    ...steps.map(
      ({ step, share }) =>
        `  ${step.padEnd(44)}${(share * 100).toFixed(1).padStart(6)} %${(share * micros).toFixed(2).padStart(8)} µs`,
    ),
    "",
  ].join("\n");
}

function report(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
