import process from "node:process";
import { startDynamoDbLocal } from "@pulsar-ts-io/testkit";
import { KinesisStream } from "../../harness/kinesis-stream.ts";
import { uniqueName } from "../../stack.ts";
import { runBenchmark } from "../benchmark.ts";
import type { BenchRound, Measurement } from "../document.ts";
import { DoubleProcess } from "../double-process.ts";
import { underLoad } from "../load.ts";
import { loadedByStart, measureBareNode, measureStart } from "./one-start.ts";
import { readStartOptions, type StartBenchOptions, usage } from "./start-options.ts";
import {
  byPackage,
  type StartModules,
  type StartValue,
  startRatios,
  startRound,
  table,
} from "./start-report.ts";

const shards = 4;

await runBenchmark({
  benchmark: "start",
  usage,
  readOptions: readStartOptions,
  measure,
  table,
});

async function measure(bench: StartBenchOptions): Promise<Measurement<StartValue>> {
  await using kinesis = await DoubleProcess.start();
  await using dynamo = await startDynamoDbLocal({ report });
  const endpoints = { kinesisEndpoint: kinesis.endpoint, dynamoEndpoint: dynamo.endpoint };
  await using stream = await KinesisStream.create(kinesis.endpoint, uniqueName("start"), shards);
  const stage = { ...endpoints, stream, profileFolder: bench.profileFolder };
  await putOne(stream);
  // Files come from the disk for the first time.
  const loaded = await loadedByStart(stage, uniqueName("start"));
  await measureBareNode();
  const rounds: BenchRound<StartValue>[] = [];
  for (let number = 1; number <= bench.starts; number += 1) {
    const name = uniqueName("start");
    const { load, result: starts } = await underLoad(async () => {
      const bare = await measureBareNode();
      const cold = await measureStart(stage, name);
      await putOne(stream);
      const leased = await measureStart(stage, name);
      return { cold, leased, bare };
    });
    const { cold } = starts;
    rounds.push(startRound(starts, load));
    report(`start ${number} of ${bench.starts}: ${cold.cpuSeconds} s of CPU, ${cold.ms} ms`);
  }
  const modules: StartModules = {
    count: loaded.files.length,
    bytes: loaded.bytes,
    packages: byPackage(loaded),
  };
  return { rounds, ratios: startRatios, details: modules };
}

async function putOne(stream: KinesisStream): Promise<void> {
  await stream.put([{ key: "start", data: Buffer.from("a record") }]);
}

function report(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
