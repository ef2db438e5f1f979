import { expect, it } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { cleanExit } from "../harness/journey.ts";
import { NumberedSource, partitionTexts } from "../harness/numbered-source.ts";
import { byTier } from "../harness/tier.ts";
import { describeWithStack } from "../stack.ts";

const count = 20;
/** The one record of each partition that the topic does not take. */
const large = 7;
const limitBytes = 1_000_000;
const guarantees = byTier({
  quick: ["EFFECTIVELY_ONCE"],
  long: ["EFFECTIVELY_ONCE", "ATLEAST_ONCE"],
});
const config = { partitions: 2, count, large };
const uncompressed = ["--producer-config", '{"compressionType": "NONE"}'];

/** Everything but the large records, as it has to arrive. */
const small = (id: string) => partitionTexts(id, count).filter((text) => text !== `${id}/${large}`);

describeWithStack("records that a topic will never take", (stack) => {
  async function withLimit(guarantee: string, ...limited: string[]) {
    const source = await NumberedSource.create(stack);
    for (const name of limited) {
      const topic = source.topic(name);
      await source.admin.createTopic(topic);
      const path = `${topic.replace("://", "/")}/maxMessageSize`;
      await source.admin.request("POST", path, limitBytes);
      await eventually("the limit to be known", async () => {
        const known = await source.admin.request("GET", `${path}?applied=true`).catch(() => undefined);
        return known === limitBytes;
      });
    }
    return { source, args: [...uncompressed, "--processing-guarantees", guarantee] };
  }

  it.each(guarantees)("are passed over with --on-refused skip, %s", async (guarantee) => {
    const { source, args } = await withLimit(guarantee, "records");
    await using cli = source.run(config, [...args, "--on-refused", "skip"]);
    await eventually("everything to be acknowledged", () => source.acknowledged() === 2 * count);
    expect(await cli.stop(), cli.output).toEqual(cleanExit);
    const texts = await source.texts();
    expect(texts.filter((text) => text.startsWith("part-0/"))).toEqual(small("part-0"));
    expect(texts).toHaveLength(2 * (count - 1));
    expect(cli.output).toContain('"record refused, and passed over"');
    expect(cli.stderr.find((line) => line.includes('"run ended"'))).toContain('"failed":2,"skipped":2');
  });

  it.each(guarantees)("are kept with the dead letters, %s", async (guarantee) => {
    const { source, args } = await withLimit(guarantee, "records");
    const letters = source.topic("letters");
    const policy = ["--on-refused", "dead-letter", "--dead-letter-topic", letters];
    await using cli = source.run(config, [...args, ...policy]);
    await eventually("everything to be acknowledged", () => source.acknowledged() === 2 * count);
    expect(await cli.stop(), cli.output).toEqual(cleanExit);
    expect(await source.texts()).toHaveLength(2 * (count - 1));
    const kept = await source.messages(letters);
    expect(kept.map(({ length, key, properties }) => [length, key, properties])).toEqual(
      expect.arrayContaining(
        ["part-0", "part-1"].map((id) => [
          2_000_000,
          id,
          {
            sequence: String(large),
            "dead-letter.code": "PIO_MESSAGE_REFUSED",
            "dead-letter.reason": expect.stringContaining("NotAllowedError"),
            "dead-letter.topic": source.topic(),
            "dead-letter.partition": id,
            "dead-letter.sequence": String(large),
          },
        ]),
      ),
    );
    expect(kept).toHaveLength(2);
  });

  it("end the run when the dead-letter topic does not take them either", async () => {
    const { source, args } = await withLimit("ATLEAST_ONCE", "records", "letters");
    const policy = ["--on-refused", "dead-letter", "--dead-letter-topic", source.topic("letters")];
    await using cli = source.run(config, [...args, ...policy]);
    expect((await cli.exited).code, cli.output).toBe(5);
    expect(cli.output).toContain("[PIO_DEAD_LETTER_REFUSED]");
    expect(source.acknowledged()).toBe(2 * large); // no position passes them
  });
});
