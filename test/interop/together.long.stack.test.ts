import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { cleanExit, Journey } from "../harness/journey.ts";
import { LeaseRows } from "../harness/lease-rows.ts";
import { SeededRandom } from "../harness/seeded-random.ts";
import { byTier, runSeed } from "../harness/tier.ts";
import { describeWithStack } from "../stack.ts";
import { Company } from "./company.ts";
import { Crossing } from "./crossing.ts";
import { JavaWorker, type KclVersion, prepareKcl } from "./java-worker.ts";
import { leasesOf } from "./lease-contents.ts";
import { fetchMs, releases } from "./releases.ts";
import { byShard } from "./sighting.ts";
import { silentWithinMs, TableWatch } from "./table-watch.ts";

/** KCL looks for leases every 20 s. */
const takeIntervalMs = 20_050;
interface Native {
  readonly kcl: KclVersion;
  readonly end: "stop" | "crash";
  /** Longest time until its leases are ours. */
  readonly silenceMs: number;
}
const natives: readonly Native[] = [
  { kcl: "3.1.2", end: "stop", silenceMs: 40_000 },
  { kcl: "3.5.1", end: "crash", silenceMs: 40_000 },
];

describeWithStack("workers of ours beside those of the Java KCL", (stack) => {
  describe.each(releases)("KCL $name", (release) => {
    beforeAll(() => prepareKcl(release.kcl), fetchMs);

    it("share the leases and keep them, take over from killed ones, and stay silent about what they lost", async () => {
      await using crossing = await Crossing.begin(stack, "together", 3);
      await using watch = crossing.watch();
      await using maker = await crossing.ours({ instanceId: "maker" });
      await maker.until("all leases", () => maker.shardIds.length === 3);
      await maker.stop();

      await using feed = crossing.feed();
      await using java = await crossing.java({ ...release, workerId: "java", checkpointMs: 60_000 });
      await java.until("all leases for Java", () => watch.shardsOf("java").length === 3);
      await java.handedOut(20);
      await using ours = await crossing.ours({ instanceId: "ours" });
      const joinedMs = await watch.balanced(2);
      await delay(takeIntervalMs + 2_000);
      expect(watch.movesSince(joinedMs)).toEqual([]);
      expect(java.eventsOf("lost")).toHaveLength(1);
      const [lost] = java.eventsOf("lost");
      expect(java.eventsOf("refused")).toEqual([
        { ...lost, event: "refused", detail: "ShutdownException", atMs: expect.any(Number) },
      ]);

      const killedMs = performance.now();
      await java.crash();
      await ours.until("all leases for ours", () => ours.shardIds.length === 3);
      expect(performance.now() - killedMs).toBeLessThan(13_000);

      await using second = await crossing.java({ ...release, workerId: "second" });
      await watch.balanced(2);
      await delay(2 * silentWithinMs);
      await feed[Symbol.asyncDispose]();
      await crossing.delivered([maker, java, ours, second]);
      expect(watch.faults([ours])).toEqual([]);
    });

    it.each(byTier({ quick: [], long: [300] }))(
      "stay balanced without moving leases to and fro while workers come and go for %i s",
      async (seconds) => {
        await using crossing = await Crossing.begin(stack, "company", 6);
        await using watch = crossing.watch();
        await using company = new Company(crossing, release, new SeededRandom(runSeed));
        await company.oursJoins();
        await company.javaJoins();
        await using feed = crossing.feed();
        const changes: string[] = [];
        for (const endMs = performance.now() + seconds * 1_000; performance.now() < endMs; ) {
          const balancedMs = await watch.balanced(company.size);
          await delay(takeIntervalMs + 2_000);
          expect(watch.movesSince(balancedMs), changes.join(", ")).toEqual([]);
          changes.push(await company.change());
        }
        await watch.balanced(company.size);
        await feed[Symbol.asyncDispose]();
        await crossing.delivered([...company.java, ...company.ours]);
        process.stdout.write(`seed ${runSeed}: ${changes.join(", ")}; ${watch.moves.length} moves\n`);
        expect(watch.faults(company.ours)).toEqual([]);
      },
      900_000,
    );

    it.each(byTier({ quick: [], long: ["the CLI"] }))(
      "are taken over by Java when %s is killed, and take over in 13 s when Java is",
      async () => {
        await using journey = await Journey.begin(stack, "killed-beside-java", 2);
        using rows = new LeaseRows(stack.dynamoEndpoint);
        const options = {
          ...stack,
          streamName: journey.stream.name,
          applicationName: journey.applicationName,
        };
        await using first = journey.run();
        await journey.putTexts(20);
        await journey.arrived();
        await using watch = new TableWatch(() => rows.of(journey.applicationName));
        await using java = await JavaWorker.start({ ...options, ...release, workerId: "java" });
        await watch.balanced(2);

        await first.crash();
        await journey.putTexts(20);
        await java.until("both leases for Java", () => watch.shardsOf("java").length === 2);
        const seen = () =>
          new Set([...journey.follower.sequenceNumbers, ...java.records.map((one) => one.sequenceNumber)]);
        await eventually("every record in either", () => seen().size === journey.stored.length);

        await using second = journey.run();
        await watch.balanced(2);
        const killedMs = performance.now();
        await java.crash();
        await journey.putTexts(20);
        await eventually("both leases for ours", () => watch.shardsOf("java").length === 0);
        expect(performance.now() - killedMs).toBeLessThan(13_000);
        await eventually("every record in either", () => seen().size === journey.stored.length);
        expect(await second.stop(), second.output).toEqual(cleanExit);
        expect(watch.setbacks).toEqual([]);
      },
      300_000,
    );
  });

  describe.each(byTier<readonly Native[]>({ quick: [], long: natives }))(
    "native KCL $kcl",
    ({ kcl, end, silenceMs }) => {
      it("leave its leases alone, take them once it is gone, and give them back", async () => {
        await using crossing = await Crossing.begin(stack, "native", 2);
        await using watch = crossing.watch();
        await using feed = crossing.feed();
        await using java = await crossing.java({ kcl, workerId: "java", checkpointMs: 2_000 });
        await java.until("both shards", () => java.eventsOf("started").length === 2, 150_000);
        await using ours = await crossing.ours({ instanceId: "ours" });
        const joinedMs = performance.now();
        await delay(60_000);
        expect(watch.movesSince(joinedMs)).toEqual([]);
        expect(ours.logger.messages("warn").join()).toMatch(/workers of KCL 3 share the lease table/);
        expect(await crossing.leaderOfKcl3()).toBe("java");

        await java[end]();
        const endedMs = performance.now();
        await ours.until("both leases for ours", () => ours.shardIds.length === 2);
        expect(performance.now() - endedMs).toBeLessThan(silenceMs);
        await feed[Symbol.asyncDispose]();
        await crossing.delivered([java, ours]);
        const [parent = ""] = ours.shardIds;
        await crossing.stream.split(parent);
        await crossing.put(20);
        await crossing.delivered([java, ours]);
        // What the leader of KCL 3 shares the leases out by; and what tells leases from its own rows in the same table.
        const left = await crossing.settled("what is read of each shard", (rows) =>
          leasesOf(rows).every(
            (row) => row["checkpoint"]?.S === "SHARD_END" || row["throughputKBps"] !== undefined,
          ),
        );
        await ours.stop();
        const types = leasesOf(left).map((row) => row["entityType"]?.S);
        expect(types).toEqual(Array(4).fill(kcl === "3.5.1" ? "LEASE" : undefined));

        const rest = await crossing.put(20);
        await using back = await crossing.java({ kcl, workerId: "java" });
        await back.handedOut(rest.length, 240_000);
        expect(byShard(back.records)).toEqual(byShard(rest));
        expect([...java.failures, ...back.failures]).toEqual([]);
        expect(watch.setbacks).toEqual([]);
      }, 600_000);
    },
  );
});
