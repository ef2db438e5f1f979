import process from "node:process";
import { startDynamoDbLocal } from "@pulsar-ts-io/testkit";
import { type BenchOptions, readBenchOptions, usage } from "./bench-options.ts";
import { fillStream } from "./bench-stream.ts";
import { runBenchmark } from "./benchmark.ts";
import { openBroker } from "./broker.ts";
import { DoubleProcess } from "./double-process.ts";
import { type MeasuredRound, summarise, table } from "./report.ts";
import { runRound } from "./round.ts";
import { sdkCpuSeconds } from "./yardstick.ts";

await runBenchmark({
  usage,
  readOptions: readBenchOptions,
  measure: async (bench) => summarise(bench, await measure(bench)),
  table,
  faults: () => [],
});

async function measure(bench: BenchOptions): Promise<readonly MeasuredRound[]> {
  report("starting the programmable Kinesis and DynamoDB Local …");
  await using kinesis = await DoubleProcess.start();
  await using dynamo = await startDynamoDbLocal({ report });
  await using broker = bench.toConsole ? undefined : await openBroker(report);
  report(`putting ${bench.records} records of ${bench.sizeBytes} bytes …`);
  // The console shows bytes that are no text as escapes, which costs more than everything else on the way.
  const content = { ...bench, asText: bench.toConsole };
  await using stream = await fillStream(kinesis.endpoint, content, report);
  const stage = { kinesis, dynamoEndpoint: dynamo.endpoint, broker, stream };
  const rounds: MeasuredRound[] = [];
  for (let number = 1; number <= bench.rounds; number += 1) {
    report(`round ${number} of ${bench.rounds} …`);
    const sdk = await sdkCpuSeconds(kinesis.endpoint, stream, bench);
    const round = { ...(await runRound(stage, bench)), sdkCpuSeconds: sdk };
    rounds.push(round);
    const micros = (round.cliCpuSeconds * 1e6) / bench.records;
    const proof = bench.toConsole ? "as many written as were put" : "every record arrived once";
    report(`round ${number}: ${micros.toFixed(1)} µs CPU a record, ${proof}`);
  }
  return rounds;
}

function report(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
