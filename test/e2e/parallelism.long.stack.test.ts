import { expect, it } from "vitest";
import { exactlyAsPut } from "../harness/comparison.ts";
import { eventually } from "../harness/eventually.ts";
import { cleanExit, Journey } from "../harness/journey.ts";
import { ObservedRun } from "../harness/observed-run.ts";
import { describeWithStack } from "../stack.ts";

describeWithStack("four instances on four shards", (stack) => {
  it("come to read one shard each, leave none idle, and read none twice, also while they share them out", async () => {
    await using journey = await Journey.begin(stack, "parallelism", 4);
    await journey.putTexts(400);
    await using cli = journey.run({
      args: ["--parallelism", "4", "--http-port", "0", "--log-format", "json"],
    });
    const observed = await ObservedRun.of(cli);
    const shardsOf = async () =>
      (await observed.status()).instances.map(({ details }) => details.partitions.map(({ id }) => id));
    await eventually("one shard for each", async () => {
      await journey.putTexts(20);
      const shards = await shardsOf();
      return shards.length === 4 && shards.every((some) => some.length === 1);
    });
    const held = (await shardsOf()).flat();
    expect(new Set(held).size).toBe(4);
    const before = (await observed.status()).instances.map(({ status }) => status.numWritten);
    await journey.putTexts(2_000);
    await journey.arrived();
    const after = (await observed.status()).instances.map(({ status }) => status.numWritten);
    for (const [instance, written] of after.entries()) expect(written).toBeGreaterThan(before[instance] ?? 0);
    expect(await cli.stop(), cli.output).toEqual(cleanExit);
    expect(journey.comparison(), cli.output).toEqual(exactlyAsPut);
  });
});
