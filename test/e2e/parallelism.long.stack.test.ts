import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { startKinesisDouble } from "@pulsar-ts-io/testkit";
import { expect, it } from "vitest";
import { exactlyAsPut } from "../harness/comparison.ts";
import { eventually } from "../harness/eventually.ts";
import { cleanExit, Journey } from "../harness/journey.ts";
import { ObservedRun } from "../harness/observed-run.ts";
import { longestIdleMs, overlaps, shardSpells } from "../harness/shard-spells.ts";
import { describeWithStack } from "../stack.ts";

/** A reader with nothing left to read asks every second; the machine is busy. */
const longestPauseMs = 3_000;
const balancedForMs = 15_000;

describeWithStack("four instances on four shards", (stack) => {
  it("come to read one shard each, leave none idle, and at no time two read the same, also while they share them out", async () => {
    await using kinesis = await startKinesisDouble();
    await using journey = await Journey.begin(
      { ...stack, kinesisEndpoint: kinesis.endpoint },
      "parallelism",
      4,
    );
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
    const fromMs = Date.now();
    const held = (await shardsOf()).flat();
    expect(new Set(held).size).toBe(4);
    const before = (await observed.status()).instances.map(({ status }) => status.numWritten);
    await journey.putTexts(2_000);
    await journey.arrived();
    await delay(balancedForMs);
    expect((await shardsOf()).flat()).toEqual(held);
    const after = (await observed.status()).instances.map(({ status }) => status.numWritten);
    const toMs = Date.now();
    for (const [instance, written] of after.entries()) expect(written).toBeGreaterThan(before[instance] ?? 0);
    expect(await cli.stop(), cli.output).toEqual(cleanExit);
    expect(journey.comparison(), cli.output).toEqual(exactlyAsPut);

    const calls = kinesis.service.lastCalls("GetRecords");
    expect(calls.length).toBe(kinesis.service.calls("GetRecords"));
    const spells = [...shardSpells(calls).values()];
    process.stdout.write(`${JSON.stringify(spells.map((some) => some.map(({ instance }) => instance)))}\n`);
    expect(spells.flatMap(overlaps), cli.output).toEqual([]);
    expect(spells.map((some) => some.at(-1)?.instance).sort()).toEqual(
      [0, 1, 2, 3].map((id) => `instance/${id}`),
    );
    for (const id of held) {
      expect(longestIdleMs(calls, `${id}`, { fromMs, toMs }), `${id}`).toBeLessThan(longestPauseMs);
    }
  });
});
