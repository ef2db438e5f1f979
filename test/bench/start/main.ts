import process from "node:process";
import { startDynamoDbLocal } from "@pulsar-ts-io/testkit";
import { KinesisStream } from "../../harness/kinesis-stream.ts";
import { uniqueName } from "../../stack.ts";
import { runBenchmark } from "../benchmark.ts";
import { DoubleProcess } from "../double-process.ts";
import { loadedByStart, measureBareNode, measureStart } from "./one-start.ts";
import { readStartOptions, type StartBenchOptions, usage } from "./start-options.ts";
import { type StartReport, type StartRound, summarise, table } from "./start-report.ts";

const shards = 4;

await runBenchmark({
  usage,
  readOptions: readStartOptions,
  measure,
  table,
  faults: () => [],
});

async function measure(bench: StartBenchOptions): Promise<StartReport> {
  await using kinesis = await DoubleProcess.start();
  await using dynamo = await startDynamoDbLocal({ report });
  const endpoints = { kinesisEndpoint: kinesis.endpoint, dynamoEndpoint: dynamo.endpoint };
  await using stream = await KinesisStream.create(kinesis.endpoint, uniqueName("start"), shards);
  const stage = { ...endpoints, stream, profileFolder: bench.profileFolder };
  await putOne(stream);
  // Files come from the disk for the first time.
  const loaded = await loadedByStart(stage, uniqueName("start"));
  await measureBareNode();
  const rounds: StartRound[] = [];
  for (let number = 1; number <= bench.starts; number += 1) {
    const name = uniqueName("start");
    const bare = await measureBareNode();
    const cold = await measureStart(stage, name);
    await putOne(stream);
    const leased = await measureStart(stage, name);
    rounds.push({ cold, leased, bare });
    report(`start ${number} of ${bench.starts}: ${cold.cpuSeconds} s of CPU, ${cold.ms} ms`);
  }
  return summarise(bench, rounds, loaded);
}

async function putOne(stream: KinesisStream): Promise<void> {
  await stream.put([{ key: "start", data: Buffer.from("a record") }]);
}

function report(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
