import process from "node:process";
import { startDynamoDbLocal } from "@pulsar-ts-io/testkit";
import { fillStream } from "../bench-stream.ts";
import { runBenchmark } from "../benchmark.ts";
import { openBroker } from "../broker.ts";
import type { BenchRound, Measurement } from "../document.ts";
import { DoubleProcess } from "../double-process.ts";
import { runComparedRound } from "./compared-round.ts";
import { connectorTitle, JavaConnector, jvmFlags } from "./java-connector.ts";
import { type JavaBenchOptions, readJavaOptions, usage } from "./java-options.ts";
import { excesses, type JavaValue, javaRatios, javaRound, table } from "./java-report.ts";

await runBenchmark({
  benchmark: "java",
  usage,
  readOptions: readJavaOptions,
  measure,
  table,
  faults: (found, { check }) => (check ? excesses(found) : []),
});

async function measure(bench: JavaBenchOptions): Promise<Measurement<JavaValue>> {
  await using connector = await JavaConnector.prepare(report);
  await using kinesis = await DoubleProcess.start();
  await using dynamo = await startDynamoDbLocal({ report });
  await using broker = await openBroker(report);
  report(`putting ${bench.records} records of ${bench.sizeBytes} bytes …`);
  await using stream = await fillStream(kinesis.endpoint, { ...bench, asText: true }, report);
  const stage = { kinesis, dynamoEndpoint: dynamo.endpoint, broker, stream, connector };
  const rounds: BenchRound<JavaValue>[] = [];
  for (let number = 1; number <= bench.rounds; number += 1) {
    report(`round ${number} of ${bench.rounds} …`);
    rounds.push(javaRound(await runComparedRound(stage, bench, report)));
  }
  return { rounds, ratios: javaRatios, details: { connector: connectorTitle, jvmFlags } };
}

function report(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
