import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { cleanExit } from "../harness/journey.ts";
import { NumberedSource, partitionTexts } from "../harness/numbered-source.ts";
import { describeWithStack } from "../stack.ts";

describeWithStack("EFFECTIVELY_ONCE beside another process of the same partition", (stack) => {
  it("ends when another process keeps the partition, and names it", async () => {
    const source = await NumberedSource.create(stack);
    const config = { partitions: 1, count: 100_000, pauseMs: 5 };
    await using holder = source.run(config);
    await eventually("the first records to be acknowledged", () => source.acknowledged() > 5);
    await using second = source.run(config, ["--max-restarts", "0"]);
    expect((await second.exited).code, second.output).toBe(5);
    expect(second.output).toMatch(
      /another process publishes partition public\/default\/numbered\/part-0 .* (29|30) s \[PIO_PRODUCER_BUSY\]/,
    );
    expect(await holder.stop()).toEqual(cleanExit);
  }, 120_000);

  it("takes a partition over from a process that has fallen silent, and goes on without a gap", async () => {
    const source = await NumberedSource.create(stack);
    const config = { partitions: 1, count: 2_000, pauseMs: 1 };
    await using silent = source.run(config);
    await eventually("the first records to be acknowledged", () => source.acknowledged() > 50);
    silent.kill("SIGSTOP");
    await using heir = source.run(config);
    await eventually("everything to be acknowledged", () => source.acknowledged() === 2_000);
    expect(await heir.stop(), heir.output).toEqual(cleanExit);
    silent.kill("SIGCONT"); // it wakes up, and sends what it had
    await delay(2_000);
    await silent.crash();
    expect(await source.texts()).toEqual(partitionTexts("part-0", 2_000));
  }, 120_000);
});
