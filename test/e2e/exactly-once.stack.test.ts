import { setTimeout as delay } from "node:timers/promises";
import { type LocalPulsar, startKinesisDouble, startPulsar } from "@pulsar-ts-io/testkit";
import { expect, it } from "vitest";
import type { Cli } from "../harness/cli.ts";
import { childrenBeforeParents, exactlyAsPut } from "../harness/comparison.ts";
import { cleanExit, Journey } from "../harness/journey.ts";
import type { PutRecord } from "../harness/kinesis-stream.ts";
import { isReading } from "../harness/numbered-source.ts";
import { SeededRandom } from "../harness/seeded-random.ts";
import { byTier, runSeed } from "../harness/tier.ts";
import { describeWithStack } from "../stack.ts";

const kills = byTier({ quick: 3, long: 50 });
const recordCount = byTier({ quick: 3_000, long: 100_000 });
/** The broker is killed and started again with every so many kills of the CLI. */
const broken = byTier({ quick: 3, long: 10 });
/** Long enough for what a killed worker had to be taken over, and for the flow to be full again. */
const longestLifeMs = byTier({ quick: 8_000, long: 16_000 });
const feedEveryMs = 200;

describeWithStack("EFFECTIVELY_ONCE, with two workers that are killed again and again", (stack) => {
  it(`stores each of ${recordCount} records once and in order, through ${kills} kills, a split and broker restarts`, async () => {
    const random = new SeededRandom(runSeed);
    await using broker = await startPulsar({ deduplication: true });
    await using kinesis = await startKinesisDouble(); // kinesis-local takes an hour for so many records
    const own = {
      ...stack,
      kinesisEndpoint: kinesis.endpoint,
      pulsarServiceUrl: broker.serviceUrl,
      pulsarAdminUrl: broker.adminUrl,
    };
    await using journey = await Journey.begin(own, "exactly-once", 4);
    await using workers = new Workers(journey, broker);
    const records = Array.from({ length: recordCount }, (_, index) => record(random, index));
    const partSize = Math.ceil(records.length / (kills + 1));
    for (let kill = 0; kill < kills; kill += 1) {
      workers.complete();
      const part = records.slice(kill * partSize, (kill + 1) * partSize);
      const lifeMs = random.integer(500, longestLifeMs);
      const feeding = feed(journey, part, lifeMs);
      await delay(lifeMs);
      await workers.crash(random.integer(0, 1));
      if (kill % broken === broken - 1) {
        await workers.reading(); // one that starts while there is no broker ends with that
        await broker.kill();
        await broker.restart();
      }
      await feeding;
      if (kill === Math.floor(kills / 2)) await splitOne(journey, random);
    }
    workers.complete();
    await journey.put(records.slice(kills * partSize));
    await journey.arrived(300_000);
    await workers.reading(); // one that has only just begun to load does not hear that it shall stop
    const exits = await workers.stop();

    const comparison = journey.comparison();
    process.stdout.write(
      `${kills} kills (seed ${runSeed}): ${journey.stored.length} records, ${JSON.stringify(comparison)}, ${workers.duplicates} not stored again\n`,
    );
    expect(exits, workers.output).toEqual([cleanExit, cleanExit]);
    expect(comparison, workers.output).toEqual(exactlyAsPut);
    expect(childrenBeforeParents(await journey.stream.shards(), journey.follower.messages)).toBe(0);
  }, 3_600_000);
});

/** The two workers, and those that were there before them. */
class Workers implements AsyncDisposable {
  readonly #journey: Journey;
  readonly #broker: LocalPulsar;
  readonly #alive: Cli[] = [];
  readonly #gone: Cli[] = [];

  constructor(journey: Journey, broker: LocalPulsar) {
    this.#journey = journey;
    this.#broker = broker;
  }

  /** Starts as many as there are missing. */
  complete(): void {
    const args = [
      ...["--processing-guarantees", "EFFECTIVELY_ONCE", "--web-service-url", this.#broker.adminUrl],
      ...["--log-format", "json"],
    ];
    while (this.#alive.length < 2) this.#alive.push(this.#journey.run({ args }));
  }

  async crash(index: number): Promise<void> {
    for (const cli of this.#alive.splice(index, 1)) {
      this.#gone.push(cli);
      expect(cli.running, cli.output).toBe(true);
      await cli.crash();
    }
  }

  async reading(): Promise<void> {
    await Promise.all(this.#alive.map(isReading));
  }

  async stop(): Promise<readonly unknown[]> {
    return await Promise.all(this.#alive.map((cli) => cli.stop()));
  }

  /** Messages that Pulsar was sent and had already, as far as those tell that ended in order. */
  get duplicates(): number {
    return this.#alive
      .flatMap((cli) => cli.stderr)
      .filter((line) => line.includes('"run ended"'))
      .reduce((sum, line) => sum + (JSON.parse(line) as { readonly duplicates: number }).duplicates, 0);
  }

  get output(): string {
    return [...this.#gone, ...this.#alive].map((cli) => cli.output).join("\n---\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#alive.map((cli) => cli[Symbol.asyncDispose]()));
  }
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
