import process from "node:process";
import { startDynamoDbLocal } from "@pulsar-ts-io/testkit";
import { fillStream } from "../bench-stream.ts";
import { runBenchmark } from "../benchmark.ts";
import { openBroker } from "../broker.ts";
import type { BenchRound, Measurement } from "../document.ts";
import { DoubleProcess } from "../double-process.ts";
import { underLoad } from "../load.ts";
import { runRound } from "../round.ts";
import { type InstancesBenchOptions, readInstancesOptions, usage } from "./instances-options.ts";
import { excesses, type InstancesValue, instancesRatios, table } from "./instances-report.ts";

await runBenchmark({
  benchmark: "instances",
  usage,
  readOptions: readInstancesOptions,
  measure,
  table,
  faults: (found, { check }) => (check ? excesses(found) : []),
});

async function measure(bench: InstancesBenchOptions): Promise<Measurement<InstancesValue>> {
  await using kinesis = await DoubleProcess.start();
  await using dynamo = await startDynamoDbLocal({ report });
  await using broker = await openBroker(report);
  report(`putting ${bench.records} records of ${bench.sizeBytes} bytes …`);
  await using stream = await fillStream(kinesis.endpoint, { ...bench, asText: false }, report);
  const stage = { kinesis, dynamoEndpoint: dynamo.endpoint, broker, stream };
  const { records } = bench;
  const common = { records, receiveQueueSize: 10_000, fanOut: false, profileFolder: undefined };
  const measureOne = (instances: number) =>
    underLoad(() => runRound(stage, { ...common, instances, unmeasured: Math.floor(records / 2) }));
  const rounds: BenchRound<InstancesValue>[] = [];
  for (let number = 1; number <= bench.rounds; number += 1) {
    const [one, four] = [await measureOne(1), await measureOne(4)];
    const [ofOne, ofFour] = [one, four].map(({ result }) => (result.cliCpuSeconds * 1e6) / result.records);
    if (ofOne === undefined || ofFour === undefined) throw new Error("a round without a figure");
    rounds.push({
      loads: { one: one.load, four: four.load },
      values: { oneCpuMicrosPerRecord: ofOne, fourCpuMicrosPerRecord: ofFour },
    });
    const figures = `${ofOne.toFixed(1)} µs CPU a record with one instance, ${ofFour.toFixed(1)} with four`;
    report(`round ${number} of ${bench.rounds}: ${figures}`);
  }
  return { rounds, ratios: instancesRatios };
}

function report(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
