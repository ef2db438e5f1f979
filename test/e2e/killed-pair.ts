import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { type KinesisDouble, type LocalPulsar, startKinesisDouble, startPulsar } from "@pulsar-ts-io/testkit";
import { expect } from "vitest";
import { type Comparison, childrenBeforeParents } from "../harness/comparison.ts";
import { cleanExit, Journey } from "../harness/journey.ts";
import type { PutRecord } from "../harness/kinesis-stream.ts";
import { SeededRandom } from "../harness/seeded-random.ts";
import { runSeed } from "../harness/tier.ts";
import { WorkerPair } from "../harness/worker-pair.ts";
import type { RunningStack } from "../stack.ts";

export interface KilledPairOptions {
  readonly guarantee: "ATLEAST_ONCE" | "EFFECTIVELY_ONCE";
  readonly records: number;
  readonly kills: number;
  /** The broker is killed and started again with every so many kills of a worker. */
  readonly killsPerBrokerRestart: number;
  /** A worker lives half a second to this long, milliseconds. */
  readonly longestLifeMs: number;
  /** Leaves the first worker alive, and kills the second one each time. */
  readonly sparesElder?: boolean;
  /** Called with each round, before a worker is killed. */
  readonly onRound?: (round: { readonly pair: WorkerPair; readonly kinesis: KinesisDouble }) => Promise<void>;
  /** Options of Node itself, for the workers. */
  readonly nodeArgs?: readonly string[];
}

const feedEveryMs = 200;

/**
 * Two workers read four shards while records keep coming. One of them is killed with SIGKILL at a random time, and replaced, again
 * and again; the broker, too. A shard is split in the middle. At the end both are stopped, cleanly.
 *
 * @returns what became of the records, read by Pulsar's Java client.
 */
export async function runKilledPair(stack: RunningStack, options: KilledPairOptions): Promise<Comparison> {
  const { kills, killsPerBrokerRestart, longestLifeMs, sparesElder = false } = options;
  const random = new SeededRandom(runSeed);
  await using broker = await startPulsar({ deduplication: options.guarantee === "EFFECTIVELY_ONCE" });
  // kinesis-local takes an hour for so many records
  await using kinesis = await startKinesisDouble({ random: () => random.integer(0, 999_999) / 1e6 });
  await using journey = await Journey.begin(stackOf(stack, broker, kinesis), "killed-pair", 4);
  await using pair = new WorkerPair(journey, {
    args: ["--processing-guarantees", options.guarantee, "--web-service-url", broker.adminUrl],
    nodeArgs: options.nodeArgs ?? [],
  });
  const records = Array.from({ length: options.records }, (_, index) => record(random, index));
  const partSize = Math.ceil(records.length / (kills + 1));
  for (let kill = 0; kill < kills; kill += 1) {
    pair.complete();
    await options.onRound?.({ pair, kinesis });
    const part = records.slice(kill * partSize, (kill + 1) * partSize);
    const lifeMs = random.integer(500, longestLifeMs);
    const feeding = feed(journey, part, lifeMs);
    await delay(lifeMs);
    await pair.crash(sparesElder ? 1 : random.integer(0, 1));
    if (kill % killsPerBrokerRestart === killsPerBrokerRestart - 1) {
      await pair.reading();
      await broker.kill();
      await broker.restart();
    }
    await feeding;
    if (kill === Math.floor(kills / 2)) await splitOne(journey, random);
  }
  pair.complete();
  await journey.put(records.slice(kills * partSize));
  await journey.arrived(300_000);
  await pair.reading();
  const exits = await pair.stop();

  const comparison = journey.comparison();
  process.stdout.write(
    `${options.guarantee}, ${kills} kills (seed ${runSeed}): ${journey.stored.length} records, ${JSON.stringify(comparison)}, ${pair.duplicates} not stored again\n`,
  );
  expect(exits, pair.output).toEqual([cleanExit, cleanExit]);
  expect(childrenBeforeParents(await journey.stream.shards(), journey.follower.messages)).toBe(0);
  return comparison;
}

function stackOf(stack: RunningStack, broker: LocalPulsar, kinesis: KinesisDouble): RunningStack {
  const { serviceUrl: pulsarServiceUrl, adminUrl: pulsarAdminUrl } = broker;
  return { ...stack, kinesisEndpoint: kinesis.endpoint, pulsarServiceUrl, pulsarAdminUrl };
}

function record(random: SeededRandom, index: number): PutRecord {
  return { key: `key-${random.integer(0, 999)}`, data: Buffer.from(`record ${index}`) };
}

/** Puts `records` a few at a time over `durationMs`, so that a kill at any moment finds some on their way. */
async function feed(journey: Journey, records: readonly PutRecord[], durationMs: number): Promise<void> {
  const slices = Math.max(1, Math.floor(durationMs / feedEveryMs));
  const sliceSize = Math.ceil(records.length / slices);
  for (let from = 0; from < records.length; from += sliceSize) {
    await Promise.all([journey.put(records.slice(from, from + sliceSize)), delay(feedEveryMs)]);
  }
}

async function splitOne(journey: Journey, random: SeededRandom): Promise<void> {
  const open = await journey.stream.openShards();
  await journey.stream.split(open[random.integer(0, open.length - 1)]?.ShardId ?? "");
}
