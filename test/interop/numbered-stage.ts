import type { LocalPulsar } from "@pulsar-ts-io/testkit";
import { expect } from "vitest";
import type { Cli } from "../harness/cli.ts";
import { eventually } from "../harness/eventually.ts";
import { cleanExit, Journey } from "../harness/journey.ts";
import type { StoredRecord } from "../harness/kinesis-stream.ts";
import { type LeaseRow, LeaseRows } from "../harness/lease-rows.ts";
import type { RunningStack } from "../stack.ts";
import { JavaWorker } from "./java-worker.ts";
import { behindCheckpoints, leasesOf } from "./lease-contents.ts";
import { nativeReleases, type Release } from "./releases.ts";
import type { Sighting } from "./sighting.ts";
import { TableWatch } from "./table-watch.ts";

/** KCL 3 hands leases out every 20 s, to workers whose metrics it has seen. */
export const takenOverMs = 240_000;
/** Longer than any test. */
const neverMs = 3_600_000;
/** What a first run publishes, and what of it one that is killed cannot have stored. */
const [earlyCount, lateCount] = [100, 60];

/** A stream of two shards, its lease table, and a topic that deduplicates. */
export class NumberedStage implements AsyncDisposable {
  readonly journey: Journey;
  readonly #table: LeaseRows;
  readonly #stack: RunningStack;

  private constructor(journey: Journey, stack: RunningStack) {
    this.journey = journey;
    this.#stack = stack;
    this.#table = new LeaseRows(stack.dynamoEndpoint);
  }

  static async begin(stack: RunningStack, broker: LocalPulsar): Promise<NumberedStage> {
    const own = { ...stack, pulsarServiceUrl: broker.serviceUrl, pulsarAdminUrl: broker.adminUrl };
    return new NumberedStage(await Journey.begin(own, "numbered-runs", 2), own);
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
  async firstRun(end: "stop" | "crash"): Promise<readonly LeaseRow[]> {
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

  startJava(release: Release, checkpointMs: number): Promise<JavaWorker> {
    const { applicationName, stream } = this.journey;
    const places = { ...this.#stack, streamName: stream.name, applicationName };
    return JavaWorker.start({ ...places, ...release, checkpointMs });
  }

  watch(): TableWatch {
    return new TableWatch(() => this.rows());
  }

  /** A Java worker, which is killed once it has read `expected`. @returns what it read. */
  async java(
    release: Release,
    expected: readonly StoredRecord[],
    stores: boolean,
  ): Promise<readonly Sighting[]> {
    await using java = await this.startJava(release, stores ? 0 : neverMs);
    await java.handedOut(expected.length, takenOverMs);
    if (stores) await this.#allStored();
    const leader = await this.#table.leaderOfKcl3(this.journey.applicationName);
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
