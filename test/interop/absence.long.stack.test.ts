import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { byTier } from "../harness/tier.ts";
import { describeWithStack } from "../stack.ts";
import { Crossing } from "./crossing.ts";
import { type JavaWorkerOptions, prepareKcl } from "./java-worker.ts";
import { leasesOf } from "./lease-contents.ts";
import { fetchMs, releases } from "./releases.ts";
import { byShard } from "./sighting.ts";
import type { TableWatch } from "./table-watch.ts";

/** With one shard one of the two workers only waits for it; with two each reads one. */
const shardCounts = byTier({ quick: [1], long: [1, 2] });
const stops = shardCounts.flatMap((shardCount) => [
  { shardCount, how: "as Pulsar's connector does", graceful: false },
  { shardCount, how: "gracefully", graceful: true },
]);
/** Longer than a lease lasts; in the long tier longer than KCL takes to look for leases, too. */
const sleepMs = byTier({ quick: 14_000, long: 25_000 });
/** KCL looks for leases every 20 s. */
const quietMs = byTier({ quick: 0, long: 22_050 });
const testMs = 300_000;

describeWithStack("a worker of ours and one of the Java KCL, of which one is away", (stack) => {
  describe.each(releases)("KCL $name", (release) => {
    beforeAll(() => prepareKcl(release.kcl), fetchMs);

    /** Java, which began with all shards, and one of ours, which has its share. */
    async function joined(
      crossing: Crossing,
      watch: TableWatch,
      shardCount: number,
      options: Pick<JavaWorkerOptions, "graceful"> = {},
    ) {
      await crossing.prepareLeases();
      const java = await crossing.java({ ...release, ...options, workerId: "java", checkpointMs: 60_000 });
      await java.until("all shards for Java", () => java.eventsOf("started").length === shardCount);
      const ours = await crossing.ours({ instanceId: "ours" });
      await watch.balanced(shardCount);
      // Java learns of it when it renews.
      await java.until("the loss of the others", () => java.eventsOf("lost").length === shardCount - 1);
      return { java, ours };
    }

    it.concurrent.each(shardCounts)(
      "lose nothing when Java, with %i shards for both, sleeps: ours takes over in 13 s, and a late checkpoint is refused",
      async (shardCount) => {
        await using crossing = await Crossing.begin(stack, "asleep", shardCount);
        await using watch = crossing.watch();
        const workers = await joined(crossing, watch, shardCount);
        await using java = workers.java;
        await using ours = workers.ours;
        const [shardId = ""] = watch.shardsOf("java");
        await using feed = crossing.feed();
        await java.until(
          "some records",
          () => java.records.filter((one) => one.shardId === shardId).length > 20,
        );
        // What Java lost while they shared is no matter here: nothing of it was read, so KCL need not refuse anything.
        const lost = java.eventsOf("lost").length;
        const refused = java.eventsOf("refused").length;

        java.sleep();
        const asleepMs = performance.now();
        await ours.until("all leases for ours", () => ours.shardIds.length === shardCount);
        expect(performance.now() - asleepMs).toBeLessThan(takenOverMs(watch));
        await delay(sleepMs - (performance.now() - asleepMs));
        java.wake();
        await java.until("a refusal", () => java.eventsOf("refused").length > refused);
        expect(
          java
            .eventsOf("lost")
            .slice(lost)
            .map((one) => one.shardId),
        ).toEqual([shardId]);
        expect(java.eventsOf("refused").slice(refused)).toEqual([
          expect.objectContaining({ shardId, detail: "ShutdownException" }),
        ]);

        await watch.balanced(shardCount);
        await delay(quietMs);
        expect(ownersSince(watch, asleepMs)).toEqual(["ours", "java"].slice(0, shardCount));
        await feed[Symbol.asyncDispose]();
        await crossing.delivered([java, ours]);
        expect(watch.faults([ours])).toEqual([]);
      },
      testMs,
    );

    it.concurrent.each(byTier({ quick: [], long: stops }))(
      "go on by ours at Java's checkpoint when Java, with $shardCount shards for both, stops $how",
      async ({ shardCount, graceful }) => {
        await using crossing = await Crossing.begin(stack, "java-stops", shardCount);
        await using watch = crossing.watch();
        const workers = await joined(crossing, watch, shardCount, { graceful });
        await using java = workers.java;
        await using ours = workers.ours;
        await crossing.put(40);
        await crossing.delivered([java, ours]);
        const javas = watch.shardsOf("java");
        const ofJava = ({ shardId }: { readonly shardId: string }) => javas.includes(shardId);

        await java.stop();
        const stoppedMs = performance.now();
        const left = leasesOf(await crossing.rows());
        // KCL releases nothing when it stops: its leases expire.
        const owned = left.filter((row) => row["leaseOwner"]?.S === "java");
        expect(owned.map((row) => row["leaseKey"]?.S)).toEqual(javas);
        const unread = crossing.behind(left).filter(ofJava);
        expect(unread).toHaveLength(graceful ? 0 : java.records.filter(ofJava).length);
        const next = await crossing.put(20);
        await ours.until("all leases for ours", () => ours.shardIds.length === shardCount);
        expect(performance.now() - stoppedMs).toBeLessThan(takenOverMs(watch));
        await crossing.delivered([ours, java]);
        expect(byShard(ours.records.filter(ofJava))).toEqual(byShard([...unread, ...next.filter(ofJava)]));
        expect(watch.faults([ours])).toEqual([]);
      },
      testMs,
    );

    it.concurrent.each(shardCounts)(
      "go on by Java at exactly the next record when ours, with %i shards for both, stops",
      async (shardCount) => {
        await using crossing = await Crossing.begin(stack, "ours-stops", shardCount);
        await using watch = crossing.watch();
        await using ours = await crossing.ours({ instanceId: "ours" });
        await using java = await crossing.java({ ...release, workerId: "java" });
        await watch.balanced(shardCount);
        await ours.until("one lease for ours", () => ours.shardIds.length === 1);
        await crossing.put(40);
        await crossing.delivered([java, ours]);
        await ours.stop();
        await crossing.put(40);
        await crossing.delivered([java, ours]);
        expect(byShard([...ours.records, ...java.records])).toEqual(byShard(crossing.stored));
        expect(watch.faults([ours])).toEqual([]);
      },
      testMs,
    );
  });
});

/** A lease is taken over after 13 s, and what a scan, a write and the start of reading take on this machine. */
function takenOverMs(watch: TableWatch): number {
  return 13_000 + 3 * watch.slowestMs;
}

/** Who got leases after that, in order. */
function ownersSince(watch: TableWatch, atMs: number): readonly string[] {
  return watch.movesSince(atMs).map(({ to = "nobody" }) => to.replace(/-.*/, ""));
}
