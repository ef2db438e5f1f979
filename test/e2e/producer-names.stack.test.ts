import { appendFileSync, cpSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { cleanExit } from "../harness/journey.ts";
import { NumberedSource, partitionTexts } from "../harness/numbered-source.ts";
import { describeWithStack } from "../stack.ts";

const fixture = fileURLToPath(new URL("../../runtime/test/fixtures/numbered", import.meta.url));
/** So many records are read a second time after the crash. */
const repeated = 20;

/** The connector with partition ids for producer names, as every release before qualified names had them. */
function earlierRelease(): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), "earlier-release-"));
  cpSync(fixture, directory, { recursive: true });
  appendFileSync(join(directory, "pulsar-io.yaml"), "partitionIds: global\n");
  return ["--archive", directory];
}

describeWithStack("producer names on a real broker", (stack) => {
  it("are different for two sources with the same partition id: the topic has the records of both", async () => {
    const source = await NumberedSource.create(stack);
    for (const name of ["first", "second"]) {
      const stateFile = join(mkdtempSync(join(tmpdir(), "numbered-")), "state.json");
      await using cli = source.run({ partitions: 1, count: 100, stateFile }, ["--name", name]);
      await eventually("everything to be stored", async () => {
        const texts = await source.texts();
        return texts.length === (name === "first" ? 100 : 200);
      });
      expect(await cli.stop(), cli.output).toEqual(cleanExit);
      expect(cli.output).toContain('"written":100,"duplicates":0');
    }
    expect(await source.texts()).toEqual([
      ...partitionTexts("part-0", 100),
      ...partitionTexts("part-0", 100),
    ]);
  });

  it.each([1, 2])(
    "change after a crash without a lost or repeated record, in a topic of %d partitions",
    async (partitions) => {
      const source = await NumberedSource.create(stack);
      if (partitions > 1) await source.admin.createPartitionedTopic(source.topic(), partitions);
      const config = { partitions: 1, count: 300 };
      await using before = source.run({ ...config, pauseMs: 2 }, earlierRelease());
      await eventually("some records to be acknowledged", () => source.acknowledged() > repeated);
      await before.crash();
      const position = source.acknowledged() - repeated;
      writeFileSync(source.stateFile, JSON.stringify({ "part-0": position }));

      await using refused = source.run(config);
      expect((await refused.exited).code, refused.output).toBe(5);
      expect(refused.output).toContain("[PIO_PRODUCER_NAME_IN_DOUBT]");

      const own = ["--earlier-producer-names", "own"];
      await using killed = source.run({ ...config, pauseMs: 2 }, own);
      await eventually("more to be acknowledged", () => source.acknowledged() > position + repeated);
      await killed.crash();
      await using after = source.run(config, own);
      await eventually("everything to be acknowledged", () => source.acknowledged() === 300);
      expect(await after.stop(), after.output).toEqual(cleanExit);
      expect(await source.texts()).toEqual(partitionTexts("part-0", 300));
    },
  );

  it("change after a clean stop, and nobody is asked", async () => {
    const source = await NumberedSource.create(stack);
    await using before = source.run({ partitions: 1, count: 50 }, earlierRelease());
    await eventually("all to be acknowledged", () => source.acknowledged() === 50);
    expect(await before.stop()).toEqual(cleanExit);
    await using after = source.run({ partitions: 1, count: 80 });
    await eventually("the others to be acknowledged", () => source.acknowledged() === 80);
    expect(await after.stop(), after.output).toEqual(cleanExit);
    expect(await source.texts()).toEqual(partitionTexts("part-0", 80));
  });
});
