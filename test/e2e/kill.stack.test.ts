import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { exactlyAsPut } from "../harness/comparison.ts";
import { cleanExit, Journey } from "../harness/journey.ts";
import type { PutRecord } from "../harness/kinesis-stream.ts";
import { type RandomRecordCounts, randomRecords } from "../harness/random-records.ts";
import { SeededRandom } from "../harness/seeded-random.ts";
import { byTier, runSeed } from "../harness/tier.ts";
import { describeWithStack } from "../stack.ts";

const kills = byTier({ quick: 3, long: 20 });
const counts: RandomRecordCounts = byTier({
  quick: { small: 1_990, large: 8, largest: 2 },
  long: { small: 9_960, large: 30, largest: 10 },
});
/** Long enough for a restarted worker to have taken its predecessor's leases and to be in full flow. */
const longestLifeMs = 16_000;
const feedEveryMs = 200;

describeWithStack("the real CLI, killed with SIGKILL at random times", (stack) => {
  it(`loses nothing in ${kills} kills while records keep coming`, async () => {
    const random = new SeededRandom(runSeed);
    await using journey = await Journey.begin(stack, "killed", 4);
    const records = randomRecords(random, counts);
    const partSize = Math.ceil(records.length / (kills + 1));

    for (let kill = 0; kill < kills; kill++) {
      await using cli = journey.run();
      const lifeMs = random.integer(50, longestLifeMs);
      const part = records.slice(kill * partSize, (kill + 1) * partSize);
      await Promise.all([feedEvenly(journey, part, lifeMs), delay(lifeMs).then(() => cli.kill("SIGKILL"))]);
      expect(await cli.exited, cli.output).toEqual({ code: null, signal: "SIGKILL" });
    }
    await using last = journey.run();
    await journey.put(records.slice(kills * partSize));
    await journey.arrived();
    expect(await last.stop(), last.output).toEqual(cleanExit);

    const comparison = journey.comparison();
    process.stdout.write(
      `${kills} kills (seed ${runSeed}): ${records.length} records, ${comparison.repeated} repeated\n`,
    );
    expect(comparison).toEqual({ ...exactlyAsPut, repeated: comparison.repeated });
  }, 1_800_000);
});

/** Puts `records` a few at a time over `durationMs`, so that a kill at any moment finds some on their way. */
async function feedEvenly(
  journey: Journey,
  records: readonly PutRecord[],
  durationMs: number,
): Promise<void> {
  const slices = Math.max(1, Math.floor(durationMs / feedEveryMs));
  const sliceSize = Math.ceil(records.length / slices);
  for (let from = 0; from < records.length; from += sliceSize) {
    await Promise.all([journey.put(records.slice(from, from + sliceSize)), delay(feedEveryMs)]);
  }
}
