import { writeFile } from "node:fs/promises";
import process from "node:process";
import { startDynamoDbLocal } from "@pulsar-ts-io/testkit";
import { type BenchOptions, readBenchOptions, usage } from "./bench-options.ts";
import { fillStream } from "./bench-stream.ts";
import { openBroker } from "./broker.ts";
import { DoubleProcess } from "./double-process.ts";
import { type MeasuredRound, summarise, table } from "./report.ts";
import { runRound } from "./round.ts";
import { sdkCpuSeconds } from "./yardstick.ts";

const options = readOptions();
if (options !== undefined) await run(options).catch(fail);

async function run(bench: BenchOptions): Promise<void> {
  const result = summarise(bench, await measure(bench));
  const json = `${JSON.stringify(result, null, 2)}\n`;
  if (bench.outFile !== undefined) await writeFile(bench.outFile, json);
  process.stdout.write(bench.json ? json : table(result));
}

function fail(error: unknown): void {
  process.stderr.write(`error: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

function readOptions(): BenchOptions | undefined {
  try {
    const read = readBenchOptions(process.argv.slice(2));
    if (read === undefined) process.stdout.write(usage);
    return read;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exitCode = 2;
    return undefined;
  }
}

async function measure(bench: BenchOptions): Promise<readonly MeasuredRound[]> {
  report("starting the programmable Kinesis and DynamoDB Local …");
  await using kinesis = await DoubleProcess.start();
  await using dynamo = await startDynamoDbLocal({ report });
  await using broker = bench.toConsole ? undefined : await openBroker(report);
  report(`putting ${bench.records} records of ${bench.sizeBytes} bytes …`);
  await using stream = await fillStream(kinesis.endpoint, bench, report);
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
