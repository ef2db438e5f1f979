import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { cleanExit } from "../harness/journey.ts";
import { isReading, NumberedSource, partitionTexts } from "../harness/numbered-source.ts";
import { SeededRandom } from "../harness/seeded-random.ts";
import { byTier, runSeed } from "../harness/tier.ts";
import { describeWithStack } from "../stack.ts";

const kills = byTier({ quick: 2, long: 20 });
/**
 * Records of each partition that each run may add, so that none leaves the next one nothing to do: about as many as are read until
 * the latest kill.
 */
const share = 8_000;
const count = share * (kills + 1);

describeWithStack("EFFECTIVELY_ONCE on a real broker", (stack) => {
  it("stores each record once and in order of its partition, however often the process is killed", async () => {
    const random = new SeededRandom(runSeed);
    const source = await NumberedSource.create(stack);
    let interrupted = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      const offered = share * (kill + 1);
      await using cli = source.run({ partitions: 3, count: offered });
      await isReading(cli);
      await delay(random.integer(20, 400));
      await cli.crash();
      if (source.acknowledged() < 3 * offered) interrupted += 1;
    }
    expect(interrupted, "kills that left something to repeat").toBeGreaterThan(0);
    await using last = source.run({ partitions: 3, count });
    await isReading(last);
    await eventually("everything to be acknowledged", () => source.acknowledged() === 3 * count, {
      timeoutMs: 300_000,
    });
    expect(await last.stop(), last.output).toEqual(cleanExit);
    const texts = await source.texts();
    expect(texts).toHaveLength(3 * count);
    for (const id of ["part-0", "part-1", "part-2"]) {
      expect(texts.filter((text) => text.startsWith(`${id}/`))).toEqual(partitionTexts(id, count));
    }
  }, 600_000);

  it("does so in a topic of several partitions, whatever partition a key leads to", async () => {
    const source = await NumberedSource.create(stack);
    await source.admin.createPartitionedTopic(source.topic(), 3);
    const config = { partitions: 4, count: 500 };
    await using first = source.run({ ...config, pauseMs: 1 });
    await eventually("some of them to be acknowledged", () => source.acknowledged() > 0);
    await first.crash();
    expect(source.acknowledged()).toBeLessThan(4 * 500);
    await using second = source.run(config);
    await isReading(second);
    await eventually("everything to be acknowledged", () => source.acknowledged() === 4 * 500);
    expect(await second.stop(), second.output).toEqual(cleanExit);
    const texts = await source.texts();
    expect(texts).toHaveLength(4 * 500);
    for (const id of ["part-0", "part-1", "part-2", "part-3"]) {
      expect(texts.filter((text) => text.startsWith(`${id}/`))).toEqual(partitionTexts(id, 500));
    }
  }, 120_000);

  it("refuses a topic that does not deduplicate with the command for it, until that was done", async () => {
    const source = await NumberedSource.create(stack, false);
    await using refused = source.run({});
    expect((await refused.exited).code).toBe(5);
    expect(refused.output).toContain("[PIO_NOT_DEDUPLICATED]");
    expect(refused.output).toContain(
      `pulsar-admin namespaces set-deduplication --enable ${source.namespace}`,
    );
    await source.admin.setDeduplication(source.namespace, true); // what that command calls
    await using taken = source.run({});
    await eventually("everything to be acknowledged", () => source.acknowledged() === 20);
    expect(await taken.stop()).toEqual(cleanExit);
  });

  it("asks also about a partitioned topic, and about one partition of it", async () => {
    const source = await NumberedSource.create(stack, false);
    await source.admin.createPartitionedTopic(source.topic(), 2);
    for (const topic of [source.topic(), `${source.topic()}-partition-1`]) {
      await using cli = source.run({}, ["-o", topic]);
      expect((await cli.exited).code).toBe(5);
      expect(cli.output).toContain("[PIO_NOT_DEDUPLICATED]");
    }
  });

  it("refuses to start when nobody can be asked, unless it is told to assume", async () => {
    const source = await NumberedSource.create(stack);
    const nowhere = ["--web-service-url", "http://127.0.0.1:1"];
    await using refused = source.run({}, nowhere);
    expect((await refused.exited).code).toBe(5);
    expect(refused.output).toContain("[PIO_DEDUPLICATION_UNKNOWN]");
    expect(refused.output).toContain("--assume-deduplication");
    await using taken = source.run({}, [...nowhere, "--assume-deduplication"]);
    await eventually("everything to be acknowledged", () => source.acknowledged() === 20);
    expect(await taken.stop()).toEqual(cleanExit);
  });

  it("refuses a connector that does not number its records", async () => {
    const source = await NumberedSource.create(stack);
    await using cli = source.run({ numbered: false });
    expect((await cli.exited).code).toBe(1);
    expect(cli.output).toContain("[PIO_UNNUMBERED_RECORD]");
    expect(await source.texts()).toEqual([]);
  });
});
