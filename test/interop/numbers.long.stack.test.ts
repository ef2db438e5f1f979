import { beforeAll, describe, expect, it } from "vitest";
import type { LeaseRow } from "../harness/lease-rows.ts";
import { describeWithStack } from "../stack.ts";
import { Crossing } from "./crossing.ts";
import { prepareKcl } from "./java-worker.ts";
import { leasesOf } from "./lease-contents.ts";
import { fetchMs, releases } from "./releases.ts";

const testMs = 300_000;

describeWithStack("the numbers that ours keeps on a row which Java writes to, too", (stack) => {
  describe.each(releases)("KCL $name", (release) => {
    beforeAll(() => prepareKcl(release.kcl), fetchMs);

    it(
      "are kept by Java, go on where it stored no checkpoint, and begin anew where it did",
      async () => {
        await using crossing = await Crossing.begin(stack, "numbers", 1);
        const numbersOf = async (count: number) => {
          await crossing.put(count);
          await using ours = await crossing.ours({ numberRecords: true, count });
          await ours.handedOut(count);
          await ours.stop();
          return ours.numbers;
        };
        const first = await numbersOf(5);
        const [[partitionId = ""] = []] = first;
        expect(first).toEqual([0n, 1n, 2n, 3n, 4n].map((number) => [partitionId, number]));
        const left = ownOf(await crossing.rows());
        expect(left).toMatchObject({ x_ord: { N: "4" }, x_ordSub: { N: "0" }, x_ordVer: {} });
        expect(partitionId).toBe(
          `${crossing.applicationName}/shardId-000000000000/${left["x_epoch"]?.S ?? "none"}`,
        );

        {
          await using java = await crossing.java({ ...release, workerId: "java" });
          await java.until("the lease for Java", () => java.eventsOf("started").length === 1);
          await crossing.settled("a renewal of Java's", (rows) => Number(counterOf(rows)) > 8);
          await java.crash();
        }
        expect(ownOf(await crossing.rows())).toEqual(left);
        expect(await numbersOf(3)).toEqual([5n, 6n, 7n].map((number) => [partitionId, number]));

        const before = ownOf(await crossing.rows());
        {
          const put = await crossing.put(4);
          await using java = await crossing.java({ ...release, workerId: "java" });
          await crossing.settled("Java's last checkpoint", (rows) =>
            leasesOf(rows).some((row) => row["checkpoint"]?.S === put.at(-1)?.sequenceNumber),
          );
          await java.crash();
        }
        expect(ownOf(await crossing.rows())).toEqual(before);
        const last = await numbersOf(2);
        expect(last.map(([, number]) => number)).toEqual([0n, 1n]);
        expect(last.map(([partition]) => partition)).not.toContain(partitionId);
      },
      testMs,
    );
  });
});

/** Our attributes of the numbers, on the only lease there is. */
function ownOf(rows: readonly LeaseRow[]): LeaseRow {
  const [row = {}] = leasesOf(rows);
  return Object.fromEntries(
    Object.entries(row).filter(([name]) => /^x_(epoch|ord|ordSeq|ordSub|ordVer|anchorSeq)$/.test(name)),
  );
}

function counterOf(rows: readonly LeaseRow[]): string | undefined {
  return leasesOf(rows)[0]?.["leaseCounter"]?.N;
}
