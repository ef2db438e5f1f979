import { type Clock, crowdedController } from "@pulsar-ts-io/core";
import { describe, expect, it, vi } from "vitest";
import type { KinesisStream } from "../src/shard/kinesis-stream.ts";
import type { ShardId } from "../src/shard/shard.ts";
import { Rig } from "./support/rig.ts";

// Twelve hundred readers: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 120_000 });

const shardCount = 1_200;
const callMs = 30;
const slowTakeMs = 3_000;
const never = crowdedController().signal;

describe("a worker that starts alone on a stream of 1,200 shards, 30 ms a call", () => {
  it.each([
    ["all takes are fast", Number.POSITIVE_INFINITY],
    ["one take of 32 lasts 3 s", 32],
  ])("has read each shard within 25 s and loses no lease when %s", async (_, slowOf) => {
    const rig = new Rig(shardCount);
    const read = new Set<ShardId>();
    rig.through = (stream) => distant(stream, rig.clock, read);
    let takes = 0;
    rig.table.before = (method) => {
      takes += method === "take" ? 1 : 0;
      const slow = method === "take" && takes % slowOf === 0;
      return rig.clock.sleep(slow ? slowTakeMs : callMs, never);
    };
    const startMs = rig.clock.monotonic();
    // What is read once is enough here.
    const worker = await rig.start({ retrieval: { kind: "polling", idleMs: 600_000 } });
    await rig.until(() => read.size === shardCount, 25_000);
    expect(rig.clock.monotonic() - startMs).toBeLessThan(25_000);
    expect(takes).toBe(shardCount);
    expect(rig.logger.messages("warn")).not.toContain("lease lost");
    worker.kill();
  });
});

/** The stream, with shards that are far away and empty. */
function distant(stream: KinesisStream, clock: Clock, read: Set<ShardId>): KinesisStream {
  return {
    serviceTimeMs: () => stream.serviceTimeMs(),
    listShards: (from, signal) => stream.listShards(from, signal),
    createdMs: (signal) => stream.createdMs(signal),
    openIterator: async (_id, _position, signal) => {
      await clock.sleep(callMs, signal);
      return "0";
    },
    getRecords: async (id, _iterator, _limit, signal) => {
      await clock.sleep(callMs, signal);
      read.add(id);
      return { records: [], next: "0", millisBehindLatest: 0, children: [] };
    },
  };
}
