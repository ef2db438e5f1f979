import process from "node:process";
import { startDynamoDbLocal } from "@pulsar-ts-io/testkit";
import { type BenchOptions, readBenchOptions, usage } from "./bench-options.ts";
import { fillStream } from "./bench-stream.ts";
import { runBenchmark } from "./benchmark.ts";
import { openBroker } from "./broker.ts";
import type { BenchRound, Measurement } from "./document.ts";
import { DoubleProcess } from "./double-process.ts";
import { underLoad } from "./load.ts";
import { type PipelineValue, pipelineRatios, pipelineRound, pipelineTable } from "./report.ts";
import { runRound } from "./round.ts";
import { sdkCpuSeconds } from "./yardstick.ts";

await runBenchmark({
  benchmark: "pipeline",
  usage,
  readOptions: readBenchOptions,
  measure,
  table: pipelineTable,
});

async function measure(bench: BenchOptions): Promise<Measurement<PipelineValue>> {
  report("starting the programmable Kinesis and DynamoDB Local …");
  await using kinesis = await DoubleProcess.start();
  await using dynamo = await startDynamoDbLocal({ report });
  await using broker = bench.toConsole ? undefined : await openBroker(report);
  report(`putting ${bench.records} records of ${bench.sizeBytes} bytes …`);
  // The console shows bytes that are no text as escapes, which costs more than everything else on the way.
  const content = { ...bench, asText: bench.toConsole };
  await using stream = await fillStream(kinesis.endpoint, content, report);
  const stage = { kinesis, dynamoEndpoint: dynamo.endpoint, broker, stream };
  const rounds: BenchRound<PipelineValue>[] = [];
  for (let number = 1; number <= bench.rounds; number += 1) {
    report(`round ${number} of ${bench.rounds} …`);
    const sdk = bench.yardstick
      ? await underLoad(() => sdkCpuSeconds(kinesis.endpoint, stream, bench))
      : undefined;
    const { load, result: round } = await underLoad(() => runRound(stage, bench));
    const yardstick = sdk === undefined ? undefined : { cpuSeconds: sdk.result, load: sdk.load };
    rounds.push(pipelineRound({ round, load, sdk: yardstick }, bench));
    const micros = (round.cliCpuSeconds * 1e6) / bench.records;
    const proof = bench.toConsole ? "as many written as were put" : "every record arrived once";
    report(`round ${number}: ${micros.toFixed(1)} µs CPU a record, ${proof}`);
  }
  return { rounds, ratios: pipelineRatios };
}

function report(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
