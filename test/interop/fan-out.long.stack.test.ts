import { startKinesisDouble } from "@pulsar-ts-io/testkit";
import { beforeAll, describe, expect, it } from "vitest";
import { describeWithStack } from "../stack.ts";
import { Crossing } from "./crossing.ts";
import { prepareKcl } from "./java-worker.ts";
import { fetchMs, releases } from "./releases.ts";
import { childrenFirst } from "./sighting.ts";

const retrieval = "fan-out";

describeWithStack(
  "workers of ours and of the Java KCL that subscribe in the name of one consumer",
  (stack) => {
    describe.each(releases)("KCL $name", (release) => {
      beforeAll(() => prepareKcl(release.kcl), fetchMs);

      it("read a stream whole that is split and merged while one is killed, one joins and one stops", async () => {
        // Java subscribes over HTTP/2 only.
        await using double = await startKinesisDouble();
        await using crossing = await Crossing.begin(
          { ...stack, kinesisEndpoint: double.endpoint },
          "fan-out",
          2,
        );
        await using watch = crossing.watch();
        await crossing.prepareLeases();
        const startJava = (workerId: string) =>
          crossing.java({ ...release, retrieval, workerId, checkpointMs: 2_000 });
        await using java = await startJava("java");
        await java.until("all shards for Java", () => java.eventsOf("started").length === 2);
        await using feed = crossing.feed();
        await java.handedOut(20);
        await using ours = await crossing.ours({ retrieval, instanceId: "ours" });
        await watch.balanced(2);
        await ours.handedOut(20);

        const [first = "", second = ""] = await crossing.stream.openShardIds();
        await crossing.stream.merge(first, second);
        const [merged = ""] = await crossing.stream.openShardIds();
        await crossing.put(20);
        await crossing.stream.split(merged);
        await crossing.delivered([java, ours]);
        await java.until("the end of a shard", () => java.ends.length > 0);
        const shards = await crossing.stream.shards();
        expect(childrenFirst(shards, [ours, java, { records: java.ends }])).toEqual([]);

        await java.crash();
        const killedMs = performance.now();
        await ours.until("all leases for ours", () => watch.shardsOf("java").length === 0);
        expect(performance.now() - killedMs).toBeLessThan(13_000);
        await using next = await startJava("next");
        await watch.balanced(2);
        await ours.stop();
        await next.until("all leases for Java", () => watch.shardsOf("next").length === watch.leaseCount);
        await feed[Symbol.asyncDispose]();
        await crossing.delivered([java, ours, next]);
        const { consumers } = double.model.stream(crossing.stream.name);
        expect(consumers.list().map(({ name }) => name)).toEqual([crossing.applicationName]);
        expect(watch.faults([ours])).toEqual([]);
      }, 300_000);
    });
  },
);
