import type { Shard } from "@aws-sdk/client-kinesis";
import { startKinesisDouble } from "@pulsar-ts-io/testkit";
import { beforeAll, describe, expect, it } from "vitest";
import type { LeaseRow } from "../harness/lease-rows.ts";
import { byTier } from "../harness/tier.ts";
import { describeWithStack } from "../stack.ts";
import { Crossing } from "./crossing.ts";
import { type JavaWorker, prepareKcl } from "./java-worker.ts";
import type { OurWorker } from "./our-worker.ts";
import { fetchMs, type Release, releases } from "./releases.ts";
import { childrenFirst } from "./sighting.ts";

describeWithStack("a stream that is split and merged, read by Java and ours", (stack) => {
  describe.each(releases)("KCL $name", (release) => {
    beforeAll(() => prepareKcl(release.kcl), fetchMs);

    it.each(byTier({ quick: ["ours"], long: ["ours", "java"] }))(
      "is read whole and in order when that was before the first start, and %s starts first",
      async (first) => {
        // Java's first listing needs a filter that kinesis-local takes no notice of.
        await using double = await startKinesisDouble();
        await using crossing = await Crossing.begin(
          { ...stack, kinesisEndpoint: double.endpoint },
          "reshard",
          2,
        );
        await nested(crossing);
        await readWhole(crossing, first, release);
      },
    );

    it.each(byTier({ quick: [], long: ["java", "ours"] }))(
      "is read whole and in order when that was while nobody ran, and %s comes back first",
      async (first) => {
        await using crossing = await Crossing.begin(stack, "reshard", 2);
        await using before = await crossing.ours({ instanceId: "ours" });
        await using javaBefore = await crossing.java({ ...release, workerId: "java" });
        await javaBefore.until("a shard for each", () => javaBefore.eventsOf("started").length === 1);
        await crossing.put(20);
        await crossing.delivered([before, javaBefore]);
        await Promise.all([before.stop(), javaBefore.stop()]);

        await nested(crossing);
        await readWhole(crossing, first, release, [before, javaBefore]);
      },
    );

    it.each(byTier({ quick: [2], long: [2, 4] }))(
      "is read whole and in order when Java has one parent of %i and ours the other",
      async (shardCount) => {
        await using crossing = await Crossing.begin(stack, "reshard", shardCount);
        await using watch = crossing.watch();
        await using ours = await crossing.ours({ instanceId: "ours" });
        await using java = await crossing.java({ ...release, workerId: "java" });
        await watch.balanced(2);
        await using feed = crossing.feed();
        await crossing.delivered([ours, java]);
        const open = await crossing.stream.openShardIds();
        const javas = watch.shardsOf("java");
        const at = open.findIndex(
          (id, index) => index > 0 && javas.includes(id) !== javas.includes(open[index - 1] ?? ""),
        );
        const parents = open.slice(at - 1, at + 1);
        await crossing.stream.merge(parents[0] ?? "", parents[1] ?? "");
        const merged = (await crossing.stream.openShards())[at - 1];
        expect([merged?.ParentShardId, merged?.AdjacentParentShardId]).toEqual(parents);
        for (const id of [merged?.ShardId ?? "", ...open.filter((id) => !parents.includes(id))]) {
          await crossing.put(6);
          await crossing.stream.split(id);
        }
        await feed[Symbol.asyncDispose]();
        await crossing.delivered([ours, java]);
        const shards = await crossing.stream.shards();
        const closed = shards.filter(isClosed).map(({ ShardId }) => ShardId);
        const ends = await crossing.settled("the ends of all that were closed", (rows) =>
          rows.filter((row) => closed.includes(row["leaseKey"]?.S)).every(isEnded),
        );
        // Java says that a shard ended some time after its last record, unless it was so slow that ours took its place.
        const endedByJava = ends.filter((row) => isEnded(row) && row["leaseOwner"]?.S === "java");
        await java.until("the ends of its shards", () => java.ends.length >= endedByJava.length);
        expect(childrenFirst(shards, [ours, java, { records: java.ends }])).toEqual([]);
        expect(watch.faults([ours])).toEqual([]);
      },
    );
  });
});

/** A split, a merge of one child with its neighbour, and a split of what came of it, with records before, between and after. */
async function nested(crossing: Crossing): Promise<void> {
  await crossing.put(20);
  const [first = ""] = await crossing.stream.openShardIds();
  await crossing.stream.split(first);
  await crossing.put(20);
  const [, second = "", third = ""] = await crossing.stream.openShardIds();
  await crossing.stream.merge(second, third);
  await crossing.put(20);
  const [, merged = ""] = await crossing.stream.openShardIds();
  await crossing.stream.split(merged);
  await crossing.put(20);
}

/** Both read what there is; Java, if it is the `first`, some of it before ours starts. @param before those that were there earlier. */
async function readWhole(
  crossing: Crossing,
  first: string,
  release: Release,
  before: readonly (JavaWorker | OurWorker)[] = [],
): Promise<void> {
  const start = () => crossing.java({ ...release, workerId: "java" });
  await using java = first === "java" ? await start() : undefined;
  await java?.handedOut(1);
  await using ours = await crossing.ours({ instanceId: "ours" });
  await using later = java === undefined ? await start() : undefined;
  const workers = [...before, ours, java, later].filter((worker) => worker !== undefined);
  await crossing.delivered(workers);
  expect(childrenFirst(await crossing.stream.shards(), workers)).toEqual([]);
}

function isClosed(shard: Shard): boolean {
  return shard.SequenceNumberRange?.EndingSequenceNumber !== undefined;
}

function isEnded(row: LeaseRow): boolean {
  return row["checkpoint"]?.S === "SHARD_END";
}
