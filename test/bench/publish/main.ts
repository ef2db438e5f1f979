import process from "node:process";
import { uniqueName } from "../../stack.ts";
import { runBenchmark } from "../benchmark.ts";
import { type BenchBroker, openBroker } from "../broker.ts";
import type { BenchRound, Measurement } from "../document.ts";
import { type RoundLoad, underLoad } from "../load.ts";
import { type PublishClient, prepareClient } from "./clients.ts";
import { type PublishBenchOptions, readPublishOptions, usage } from "./publish-options.ts";
import {
  type ClientRound,
  excesses,
  type PublishValue,
  publishRatios,
  publishRound,
  table,
} from "./publish-report.ts";

await runBenchmark({
  benchmark: "publish",
  usage,
  readOptions: readPublishOptions,
  measure,
  table,
  faults: (document, bench) => (bench.check ? excesses(document, bench) : []),
});

async function measure(bench: PublishBenchOptions): Promise<Measurement<PublishValue>> {
  const clients: PublishClient[] = [];
  for (const name of bench.clients) clients.push(await prepareClient(name, report));
  await using broker = await openBroker(report);
  const rounds: BenchRound<PublishValue>[] = [];
  for (let number = 1; number <= bench.rounds; number += 1) {
    const round: { readonly figures: ClientRound; readonly load: RoundLoad }[] = [];
    for (const client of clients) {
      const { load, result: figures } = await underLoad(() => runClient(client, broker, bench));
      const { cpuMicrosPerMessage: micros } = figures;
      report(`round ${number} of ${bench.rounds}: ${client.name} ${micros.toFixed(1)} µs CPU a message`);
      round.push({ figures, load });
    }
    rounds.push(publishRound(round));
  }
  return { rounds, ratios: publishRatios };
}

/** @throws Error when a message got no receipt, or the broker counts another number: such a round is void. */
async function runClient(
  client: PublishClient,
  broker: BenchBroker,
  { messages, sizeBytes: bytes, compression, batching, pending, rate, seconds }: PublishBenchOptions,
): Promise<ClientRound> {
  const name = uniqueName("publish");
  const topic = `persistent://public/default/${name}`;
  await broker.admin.createTopic(topic);
  const warmUp = Math.ceil(messages / 5);
  const paced = rate * seconds;
  const work = { url: broker.serviceUrl, topic, messages, warmUp, bytes, compression, batching, pending };
  const answer = await client.run({ ...work, rate, paced });
  const arrived = (await broker.admin.stats(topic)).msgInCounter;
  const all = warmUp + messages + paced;
  if (answer.stored !== messages || answer.latenciesMs.length !== paced || arrived !== all)
    throw new Error(`the round is void: of ${all} messages of ${client.name} the broker counts ${arrived}`);
  await broker.admin.deleteTopic(topic);
  const sorted = [...answer.latenciesMs].sort((one, other) => one - other);
  return {
    client: client.name,
    cpuMicrosPerMessage: (answer.cpuSeconds * 1e6) / messages,
    messagesPerSecond: messages / answer.wallSeconds,
    peakResidentMegabytes: answer.peakResidentBytes / 1e6,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
  };
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function report(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
