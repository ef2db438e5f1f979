import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { describeWithStack } from "../stack.ts";
import { Crossing } from "./crossing.ts";
import { releases } from "./releases.ts";

/** KCL looks for leases every 20 s. */
const takeIntervalMs = 20_050;
/** A worker of ours learns within a renewal that a lease is another's. */
const silentWithinMs = 3_400;

describeWithStack("workers of ours beside those of the Java KCL", (stack) => {
  describe.each(releases)("KCL $kcl", (release) => {
    it("share the leases and keep them, take over from killed ones, and stay silent about what they lost", async () => {
      await using crossing = await Crossing.begin(stack, "together", 3);
      await using watch = crossing.watch();
      await using maker = await crossing.ours({ instanceId: "maker" });
      await maker.until("all leases", () => maker.shardIds.length === 3);
      await maker.stop();

      await using feed = crossing.feed();
      await using java = await crossing.java({ ...release, workerId: "java", checkpointMs: 2_000 });
      await java.until("all leases for Java", () => watch.shardsOf("java").length === 3);
      await java.handedOut(20);
      await using ours = await crossing.ours({ instanceId: "ours" });
      const joinedMs = await watch.balanced(2);
      await delay(takeIntervalMs + 2_000);
      expect(watch.movesSince(joinedMs)).toEqual([]);
      expect(java.eventsOf("lost")).toHaveLength(1);
      const [refused] = [
        ...new Set(java.eventsOf("refused").map(({ shardId, detail }) => `${shardId} ${detail}`)),
      ];
      expect(refused).toEqual(`${java.eventsOf("lost")[0]?.shardId} ShutdownException`);

      const killedMs = performance.now();
      await java.crash();
      await ours.until("all leases for ours", () => ours.shardIds.length === 3);
      expect(performance.now() - killedMs).toBeLessThan(13_000);

      await using second = await crossing.java({ ...release, workerId: "second" });
      await watch.balanced(2);
      await delay(silentWithinMs);
      await feed[Symbol.asyncDispose]();
      await crossing.delivered([maker, java, ours, second]);
      expect(watch.late(ours.records, (owner) => owner.startsWith("ours-"), silentWithinMs)).toEqual([]);
      expect(watch.setbacks).toEqual([]);
      expect(ours.logger.messages("error")).toEqual([]);
    });
  });
});
