import process from "node:process";
import { startDynamoDbLocal } from "@pulsar-ts-io/testkit";
import { fillStream } from "../bench-stream.ts";
import { runBenchmark } from "../benchmark.ts";
import { openBroker } from "../broker.ts";
import { DoubleProcess } from "../double-process.ts";
import { runRound } from "../round.ts";
import { type InstancesBenchOptions, readInstancesOptions, usage } from "./instances-options.ts";
import { excesses, type InstancesRound, summarise, table } from "./instances-report.ts";

await runBenchmark({
  usage,
  readOptions: readInstancesOptions,
  measure: async (bench) => summarise(bench, await measure(bench)),
  table,
  faults: (found, { check }) => (check ? excesses(found) : []),
});

async function measure(bench: InstancesBenchOptions): Promise<readonly InstancesRound[]> {
  await using kinesis = await DoubleProcess.start();
  await using dynamo = await startDynamoDbLocal({ report });
  await using broker = await openBroker(report);
  report(`putting ${bench.records} records of ${bench.sizeBytes} bytes …`);
  await using stream = await fillStream(kinesis.endpoint, { ...bench, asText: false }, report);
  const stage = { kinesis, dynamoEndpoint: dynamo.endpoint, broker, stream };
  const { records } = bench;
  const common = { records, receiveQueueSize: 10_000, fanOut: false, profileFolder: undefined };
  const micros = async (instances: number) => {
    const round = await runRound(stage, { ...common, instances, unmeasured: Math.floor(records / 2) });
    return (round.cliCpuSeconds * 1e6) / round.records;
  };
  const rounds: InstancesRound[] = [];
  for (let number = 1; number <= bench.rounds; number += 1) {
    const round = { one: await micros(1), four: await micros(4) };
    rounds.push(round);
    const figures = `${round.one.toFixed(1)} µs CPU a record with one instance, ${round.four.toFixed(1)} with four`;
    report(`round ${number} of ${bench.rounds}: ${figures}`);
  }
  return rounds;
}

function report(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
