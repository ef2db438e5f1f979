import { describe, expect, it } from "vitest";
import type { LeaseRow } from "../harness/lease-rows.ts";
import { describeWithStack } from "../stack.ts";
import { Crossing } from "./crossing.ts";
import { releases } from "./releases.ts";

const parent = "shardId-000000000000";
/** Who renewed how often is told by no record. */
const circumstances = ["leaseOwner", "leaseCounter"];

describeWithStack("the lease rows of ours and of the Java KCL", (stack) => {
  describe.each(releases)("KCL $kcl", (release) => {
    it("are equal when the table is new, when its records were read, and when a shard was split", async () => {
      await using crossing = await Crossing.begin(stack, "rows", 2);
      const names = { ours: `${crossing.applicationName}-ours`, java: `${crossing.applicationName}-java` };
      await using java = await crossing.java({ ...release, applicationName: names.java });
      const [fresh] = await Promise.all([
        crossing.settled("two leases", (rows) => leasesOf(rows).length === 2, names.java),
        java.until("a shard that was begun", () => java.eventsOf("started").length === 2),
      ]);
      await using ours = await crossing.ours({ applicationName: names.ours });
      expect(contents(await crossing.rows(names.ours))).toEqual(contents(fresh));

      await crossing.put(20);
      await Promise.all([ours.handedOut(20), java.handedOut(20)]);
      await crossing.stream.split(parent);
      await crossing.put(40);
      const isRead = (rows: readonly LeaseRow[]) =>
        leasesOf(rows).length === 4 &&
        rows.some((row) => row["checkpoint"]?.S === "SHARD_END") &&
        crossing.behind(rows).length === 0;
      const [byOurs, byJava] = await Promise.all([
        crossing.settled("four leases that are read", isRead, names.ours),
        crossing.settled("four leases that are read", isRead, names.java),
      ]);
      expect(contents(byOurs)).toEqual(contents(byJava));
      expect(types(byOurs)).toEqual(types(byJava));
      const children = ["shardId-000000000002", "shardId-000000000003"];
      expect(byOurs[0]).toMatchObject({ leaseKey: { S: parent }, childShardIds: { SS: children } });
      expect(byOurs[3]).toMatchObject({ leaseKey: { S: children[1] }, parentShardId: { SS: [parent] } });
    });
  });
});

/** KCL 3.5 keeps rows of other kinds in the same table. */
function leasesOf(rows: readonly LeaseRow[]): readonly LeaseRow[] {
  return rows.filter((row) => row["checkpoint"] !== undefined);
}

/** The leases with all that both must agree upon. */
function contents(rows: readonly LeaseRow[]): readonly unknown[] {
  return leasesOf(rows).map((row) =>
    shared(row).flatMap(([name, value]) => {
      if (circumstances.includes(name)) return [];
      return [[name, value.SS === undefined ? value : [...value.SS].sort()]];
    }),
  );
}

/** The attributes of each lease with their types. */
function types(rows: readonly LeaseRow[]): readonly unknown[] {
  return leasesOf(rows).map((row) => shared(row).map(([name, value]) => [name, Object.keys(value)]));
}

/** Without what only we write, and what only KCL 3 writes; ordered by name. */
function shared(row: LeaseRow): [name: string, value: LeaseRow[string]][] {
  return Object.entries(row)
    .filter(([name]) => !(name.startsWith("x_") || name === "throughputKBps" || name === "entityType"))
    .sort(([one], [other]) => (one < other ? -1 : 1));
}
