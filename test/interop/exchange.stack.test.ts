import { describe, expect, it } from "vitest";
import { describeWithStack } from "../stack.ts";
import { Crossing } from "./crossing.ts";
import { releases } from "./releases.ts";
import { byShard } from "./sighting.ts";

describeWithStack("a worker of ours and one of the Java KCL on one lease table", (stack) => {
  describe.each(releases)("KCL $kcl", (release) => {
    it("go on where the other stopped: Java at exactly the next record, ours at Java's checkpoint", async () => {
      await using crossing = await Crossing.begin(stack, "exchange", 2);
      await crossing.put(20);
      await using first = await crossing.ours({ instanceId: "7" });
      await first.handedOut(20);
      await first.stop();

      const second = await crossing.put(20);
      await using java = await crossing.java({ ...release, checkpointMs: 3_000 });
      await java.handedOut(20);
      expect(byShard(java.records)).toEqual(byShard(second));
      await java.until("3 s of Java", () => performance.now() - (java.records[0]?.atMs ?? 0) > 3_000);
      await crossing.put(20);
      await java.until("a checkpoint of each shard", () => java.eventsOf("checkpointed").length >= 2);
      await crossing.put(20);
      await java.handedOut(60);
      await java.stop();
      const stoppedMs = performance.now();

      await crossing.put(20);
      const rows = await crossing.rows();
      const rest = crossing.behind(rows);
      expect(rows.map((row) => row["leaseOwner"]?.S)).toEqual(["0", "0"]);
      expect(rest.length).toBeGreaterThanOrEqual(20);
      expect(rest.length).toBeLessThan(60);
      await using last = await crossing.ours();
      await last.handedOut(rest.length);
      expect(byShard(last.records)).toEqual(byShard(rest));
      expect((last.records[0]?.atMs ?? 0) - stoppedMs).toBeLessThan(13_000);
    });
  });
});
