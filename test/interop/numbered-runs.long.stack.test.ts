import { type LocalPulsar, startPulsar } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Cli } from "../harness/cli.ts";
import { compare, exactlyAsPut } from "../harness/comparison.ts";
import { cleanExit } from "../harness/journey.ts";
import type { LeaseRow } from "../harness/lease-rows.ts";
import { describeWithStack } from "../stack.ts";
import { prepareKcl } from "./java-worker.ts";
import { behindCheckpoints } from "./lease-contents.ts";
import { NumberedStage, takenOverMs } from "./numbered-stage.ts";
import { fetchMs, nativeReleases, releases } from "./releases.ts";
import { byShard } from "./sighting.ts";

/** What happens between two runs of the CLI. */
interface Interlude {
  readonly name: string;
  /** How the first run ends. */
  readonly end: "stop" | "crash";
  /** Whether Java stores where it is; else it is killed first. */
  readonly javaStores: boolean;
}

const interludes: readonly Interlude[] = [
  { name: "the CLI was stopped, and Java read on", end: "stop", javaStores: true },
  { name: "the CLI was killed, and Java read on", end: "crash", javaStores: true },
  { name: "both were killed, Java storing nothing", end: "crash", javaStores: false },
];
const testMs = 480_000;
const [betweenCount, restCount] = [30, 150];

describeWithStack("two runs with EFFECTIVELY_ONCE, and a Java worker between them", (stack) => {
  let broker: LocalPulsar;

  beforeAll(async () => {
    broker = await startPulsar({ deduplication: true });
  });

  afterAll(() => broker.stop());

  describe.each([...releases, ...nativeReleases])("KCL $name", (release) => {
    beforeAll(() => prepareKcl(release.kcl), fetchMs);

    it.concurrent.each(interludes)(
      "lose nothing and publish nothing twice when $name",
      async ({ end, javaStores }) => {
        await using stage = await NumberedStage.begin(stack, broker);
        const { journey } = stage;
        const left = await stage.firstRun(end);
        const repeated = behindCheckpoints(journey.stored, left);
        expect(repeated.length > 0).toBe(end === "crash"); // else it proves nothing

        const before = [...journey.stored];
        const between = await journey.putTexts(betweenCount);
        expect(byShard(await stage.java(release, [...repeated, ...between], javaStores))).toEqual(
          byShard([...repeated, ...between]),
        );

        const rest = await journey.putTexts(restCount);
        const published = [...before, ...(javaStores ? [] : between), ...rest];
        await using second = stage.run();
        await journey.follower.distinct(published.length, takenOverMs);
        expect(await second.stop(), second.output).toEqual(cleanExit);
        expect(compare(published, journey.follower.messages), second.output).toEqual(exactlyAsPut);
        expect(countsOf(second)).toMatchObject({ duplicates: javaStores ? 0 : repeated.length });
        const shards = left.length;
        expect(epochsOf([...left, ...(await stage.rows())]).size).toBe(javaStores ? 2 * shards : shards);
      },
      testMs,
    );
  });
});

/** What the last line of a run counts. */
function countsOf(cli: Cli): unknown {
  return JSON.parse(cli.stderr.find((line) => line.includes('"run ended"')) ?? "{}");
}

function epochsOf(rows: readonly LeaseRow[]): ReadonlySet<string | undefined> {
  return new Set(rows.map((row) => row["x_epoch"]?.S));
}
