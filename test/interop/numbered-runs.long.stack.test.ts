import { type LocalPulsar, startPulsar } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Cli } from "../harness/cli.ts";
import { compare, exactlyAsPut } from "../harness/comparison.ts";
import { eventually } from "../harness/eventually.ts";
import { cleanExit, Journey } from "../harness/journey.ts";
import type { StoredRecord } from "../harness/kinesis-stream.ts";
import { type LeaseRow, LeaseRows } from "../harness/lease-rows.ts";
import { describeWithStack, type RunningStack } from "../stack.ts";
import { JavaWorker, prepareKcl } from "./java-worker.ts";
import { behindCheckpoints, leasesOf } from "./lease-contents.ts";
import { fetchMs, nativeReleases, type Release, releases } from "./releases.ts";
import { byShard, type Sighting } from "./sighting.ts";

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
/** KCL 3 hands leases out every 20 s, to workers whose metrics it has seen. */
const takenOverMs = 240_000;
const testMs = 480_000;
const [earlyCount, lateCount, betweenCount, restCount] = [100, 60, 30, 150];

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
        await using stage = await Stage.begin(stack, broker);
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

/** A stream of two shards, its lease table, and a topic that deduplicates. */
class Stage implements AsyncDisposable {
  readonly journey: Journey;
  readonly #table: LeaseRows;
  readonly #stack: RunningStack;

  private constructor(journey: Journey, stack: RunningStack) {
    this.journey = journey;
    this.#stack = stack;
    this.#table = new LeaseRows(stack.dynamoEndpoint);
  }

  static async begin(stack: RunningStack, broker: LocalPulsar): Promise<Stage> {
    const own = { ...stack, pulsarServiceUrl: broker.serviceUrl, pulsarAdminUrl: broker.adminUrl };
    return new Stage(await Journey.begin(own, "numbered-runs", 2), own);
  }

  async rows(): Promise<readonly LeaseRow[]> {
    return leasesOf(await this.#table.of(this.journey.applicationName));
  }

  run(): Cli {
    const { pulsarAdminUrl } = this.#stack;
    const args = ["--processing-guarantees", "EFFECTIVELY_ONCE", "--web-service-url", pulsarAdminUrl];
    return this.journey.run({ args: [...args, "--log-format", "json"] });
  }

  /** Publishes what there is; one that is killed has not stored the last of it. @returns the leases that it leaves. */
  async firstRun(end: Interlude["end"]): Promise<readonly LeaseRow[]> {
    await using cli = this.run();
    await this.journey.putTexts(earlyCount);
    await this.journey.arrived();
    if (end === "crash") {
      await this.#allStored();
      await this.journey.putTexts(lateCount);
      await this.journey.arrived();
    }
    const exit = await cli[end]();
    if (end === "stop") expect(exit, cli.output).toEqual(cleanExit);
    return await this.rows();
  }

  /** A Java worker, which is killed once it has read `expected`. @returns what it read. */
  async java(
    release: Release,
    expected: readonly StoredRecord[],
    stores: boolean,
  ): Promise<readonly Sighting[]> {
    const { applicationName, stream } = this.journey;
    await using java = await JavaWorker.start({
      ...{ ...this.#stack, ...release, streamName: stream.name, applicationName },
      checkpointMs: stores ? 0 : testMs,
    });
    await java.handedOut(expected.length, takenOverMs);
    if (stores) await this.#allStored();
    const leader = await this.#table.leaderOfKcl3(applicationName);
    expect(leader).toBe(nativeReleases.includes(release) ? "0" : undefined); // else it is another mode than its name says
    await java.crash();
    return java.records;
  }

  async #allStored(): Promise<void> {
    await eventually(
      "checkpoints at the last records",
      async () => behindCheckpoints(this.journey.stored, await this.rows()).length === 0,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#table[Symbol.dispose]();
    await this.journey[Symbol.asyncDispose]();
  }
}

/** What the last line of a run counts. */
function countsOf(cli: Cli): unknown {
  return JSON.parse(cli.stderr.find((line) => line.includes('"run ended"')) ?? "{}");
}

function epochsOf(rows: readonly LeaseRow[]): ReadonlySet<string | undefined> {
  return new Set(rows.map((row) => row["x_epoch"]?.S));
}
