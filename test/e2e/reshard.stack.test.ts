import { expect, it } from "vitest";
import { childrenBeforeParents, exactlyAsPut } from "../harness/comparison.ts";
import { cleanExit, Journey } from "../harness/journey.ts";
import { describeWithStack } from "../stack.ts";

const recordsPerStep = 300;

describeWithStack("a stream that is split and merged", (stack) => {
  it("is read to the end of its closed parents when that happened before the first start", async () => {
    await using journey = await Journey.begin(stack, "resharded-before", 2);
    await reshard(journey);

    await using cli = journey.run();
    await journey.arrived();
    expect(await cli.stop(), cli.output).toEqual(cleanExit);
    await expectInOrderOfShards(journey);
  });

  it("is read on without loss or repetition when that happened while the CLI was stopped", async () => {
    await using journey = await Journey.begin(stack, "resharded-stopped", 2);
    await journey.putTexts(recordsPerStep);
    await using before = journey.run();
    await journey.arrived();
    expect(await before.stop(), before.output).toEqual(cleanExit);
    await reshard(journey);

    await using after = journey.run();
    await journey.arrived();
    expect(await after.stop(), after.output).toEqual(cleanExit);
    await expectInOrderOfShards(journey);
  });

  it("is read on without loss or repetition while the CLI is running", async () => {
    await using journey = await Journey.begin(stack, "resharded-running", 2);
    await using cli = journey.run();
    await journey.putTexts(recordsPerStep);
    await journey.arrived();
    await reshard(journey);

    await journey.arrived();
    expect(await cli.stop(), cli.output).toEqual(cleanExit);
    await expectInOrderOfShards(journey);
  });
});

/** Splits one shard, then merges one half of it with its neighbour, with records before, between and after. */
async function reshard(journey: Journey): Promise<void> {
  await journey.putTexts(recordsPerStep);
  const [first = ""] = await journey.stream.openShardIds();
  await journey.stream.split(first);
  await journey.putTexts(recordsPerStep);
  const [, second = "", third = ""] = await journey.stream.openShardIds();
  await journey.stream.merge(second, third);
  await journey.putTexts(recordsPerStep);
}

async function expectInOrderOfShards(journey: Journey): Promise<void> {
  expect(journey.comparison()).toEqual(exactlyAsPut);
  expect(childrenBeforeParents(await journey.stream.shards(), journey.follower.messages)).toBe(0);
}
