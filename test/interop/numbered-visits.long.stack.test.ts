import { type LocalPulsar, startPulsar } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exactlyAsPut } from "../harness/comparison.ts";
import { eventually } from "../harness/eventually.ts";
import { feeding } from "../harness/feeding.ts";
import { cleanExit } from "../harness/journey.ts";
import { describeWithStack } from "../stack.ts";
import { prepareKcl } from "./java-worker.ts";
import { NumberedStage } from "./numbered-stage.ts";
import { fetchMs, releases } from "./releases.ts";

const visits = 3;
/** What Java reads in one of them at the least. */
const visitCount = 100;
const testMs = 480_000;

describeWithStack("a run with EFFECTIVELY_ONCE, and Java workers that come and are killed", (stack) => {
  let broker: LocalPulsar;

  beforeAll(async () => {
    broker = await startPulsar({ deduplication: true });
  });

  afterAll(() => broker.stop());

  describe.each(releases)("KCL $name", (release) => {
    beforeAll(() => prepareKcl(release.kcl), fetchMs);

    it.concurrent(
      `lose nothing when Java comes and is killed ${visits} times beside one run`,
      async () => {
        await using stage = await NumberedStage.begin(stack, broker);
        const { journey } = stage;
        await using cli = stage.run();
        await journey.putTexts(visitCount);
        await journey.arrived();
        await using watch = stage.watch();
        await using feed = feeding(() => journey.putTexts(6));
        const byJava = new Set<string>();
        for (let visit = 0; visit < visits; visit += 1) {
          await using java = await stage.startJava(release, 0);
          await watch.balanced(2);
          // It has then passed all that ours published and could not store any more.
          await java.handedOut(visitCount);
          await java.until("checkpoints of Java", () => java.eventsOf("checkpointed").length > 2);
          await java.crash();
          for (const { sequenceNumber } of java.records) byJava.add(sequenceNumber);
          await watch.balanced(1);
        }
        await feed[Symbol.asyncDispose]();
        const missing = () => {
          const seen = new Set([...journey.follower.sequenceNumbers, ...byJava]);
          return journey.stored.filter(({ sequenceNumber }) => !seen.has(sequenceNumber));
        };
        await eventually("every record in the topic or with Java", () => missing().length === 0);
        expect(await cli.stop(), cli.output).toEqual(cleanExit);
        const comparison = journey.comparison();
        const { repeated } = comparison;
        expect(comparison, cli.output).toEqual({ ...exactlyAsPut, missing: comparison.missing, repeated });
        expect(cli.output).toContain("checkpoint-moved"); // else it proves nothing
        expect(watch.setbacks).toEqual([]);
      },
      testMs,
    );
  });
});
