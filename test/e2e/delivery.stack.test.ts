import { expect, it } from "vitest";
import { exactlyAsPut } from "../harness/comparison.ts";
import { cleanExit, Journey } from "../harness/journey.ts";
import { randomRecords } from "../harness/random-records.ts";
import { SeededRandom } from "../harness/seeded-random.ts";
import { runSeed } from "../harness/tier.ts";
import { describeWithStack } from "../stack.ts";

describeWithStack("the real CLI, from a stream of four shards into a topic", (stack) => {
  it("delivers every record as it was put and in order, and repeats none after a clean stop", async () => {
    await using journey = await Journey.begin(stack, "delivery", 4);
    const counts = stack.awsGiven
      ? { small: 1_988, large: 10, largest: 2 }
      : { small: 9_960, large: 30, largest: 10 };
    await journey.put(randomRecords(new SeededRandom(runSeed), counts));

    await using first = journey.run();
    await journey.follower.distinct(counts.small / 3);
    expect(await first.stop(), first.output).toEqual(cleanExit);
    await using second = journey.run();
    await journey.arrived();
    expect(await second.stop(), second.output).toEqual(cleanExit);

    await using third = journey.run();
    await journey.putTexts(1);
    await journey.arrived();
    expect(await third.stop(), third.output).toEqual(cleanExit);
    expect(journey.comparison()).toEqual(exactlyAsPut);
  }, 300_000);
});
