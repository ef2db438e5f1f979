import { beforeAll, describe, expect, it } from "vitest";
import type { LeaseRow } from "../harness/lease-rows.ts";
import { describeWithStack } from "../stack.ts";
import { Crossing } from "./crossing.ts";
import { prepareKcl } from "./java-worker.ts";
import { contentsOf, leasesOf, typesOf } from "./lease-contents.ts";
import { fetchMs, releases } from "./releases.ts";
import { byShard } from "./sighting.ts";

describeWithStack("a worker of ours and one of the Java KCL", (stack) => {
  describe.each(releases)("KCL $name", (release) => {
    beforeAll(() => prepareKcl(release.kcl), fetchMs);

    it.concurrent("go on where the other stopped: Java at exactly the next record, ours at Java's checkpoint", async () => {
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
      expect(leasesOf(rows).map((row) => row["leaseOwner"]?.S)).toEqual(["0", "0"]);
      expect(rest.length).toBeGreaterThanOrEqual(20);
      expect(rest.length).toBeLessThan(60);
      await using last = await crossing.ours();
      await last.handedOut(rest.length);
      expect(byShard(last.records)).toEqual(byShard(rest));
      expect((last.records[0]?.atMs ?? 0) - stoppedMs).toBeLessThan(13_000);
      await last.stop();
      const released = leasesOf(await crossing.rows());
      expect(crossing.behind(released)).toEqual([]);
      expect(released.map((row) => row["ownerSwitchesSinceCheckpoint"])).toEqual([{ N: "0" }, { N: "0" }]);
    });

    it.concurrent("leave equal rows when the table is new, when its records were read, and when a shard was split", async () => {
      await using crossing = await Crossing.begin(stack, "rows", 2);
      const names = { ours: `${crossing.applicationName}-ours`, java: `${crossing.applicationName}-java` };
      await using java = await crossing.java({ ...release, applicationName: names.java });
      const [fresh] = await Promise.all([
        crossing.settled("two leases", (rows) => leasesOf(rows).length === 2, names.java),
        java.until("a shard that was begun", () => java.eventsOf("started").length === 2),
      ]);
      await using ours = await crossing.ours({ applicationName: names.ours });
      expect(contentsOf(await crossing.rows(names.ours))).toEqual(contentsOf(fresh));

      await crossing.put(20);
      await Promise.all([ours.handedOut(20), java.handedOut(20)]);
      const [parent, ...children] = [0, 2, 3].map((number) => `shardId-00000000000${number}`);
      await crossing.stream.split(parent ?? "");
      await crossing.put(40);
      const isRead = (rows: readonly LeaseRow[]) =>
        leasesOf(rows).length === 4 &&
        rows.some((row) => row["checkpoint"]?.S === "SHARD_END") &&
        crossing.behind(rows).length === 0;
      const [byOurs, byJava] = await Promise.all([
        crossing.settled("four leases that are read", isRead, names.ours),
        crossing.settled("four leases that are read", isRead, names.java),
      ]);
      expect(contentsOf(byOurs)).toEqual(contentsOf(byJava));
      expect(typesOf(byOurs)).toEqual(typesOf(byJava));
      expect(byOurs[0]).toMatchObject({ leaseKey: { S: parent }, childShardIds: { SS: children } });
      expect(byOurs[3]).toMatchObject({ leaseKey: { S: children[1] }, parentShardId: { SS: [parent] } });
    });
  });
});
