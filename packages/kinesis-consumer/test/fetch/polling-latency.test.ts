import { afterEach, describe, expect, it, vi } from "vitest";
import { DistantShards, type DistantShardsOptions } from "../support/distant-shards.ts";

vi.setConfig({ testTimeout: 60_000 });

describe("polling over latency", () => {
  let shards: DistantShards | undefined;
  const open = (options: DistantShardsOptions) => {
    shards = new DistantShards(options);
    return shards;
  };

  afterEach(() => shards?.stop());

  it("reads 40 shards at 250 ms a call at 9,000 records a second and more with the default queue of 1,000", async () => {
    const far = open({ shardCount: 40, callMs: () => 250 });
    await far.pass(500);
    expect(await far.pass(2_500)).toBeGreaterThanOrEqual(9_000);
    // And none of them at the expense of another.
    expect(Math.min(...far.taken) * 4).toBeGreaterThanOrEqual(Math.max(...far.taken));
  });

  it("calls no reader held back while calls to 300 shards take 4 s, and reads all that is put", async () => {
    const far = open({ shardCount: 300, callMs: () => 4_000, putPerSecond: 5 });
    await far.pass(40_000);
    expect(far.heldBack).toEqual([]);
    // All but what was put during the last call.
    for (const taken of far.taken) expect(taken).toBeGreaterThanOrEqual(5 * 30);
  });

  it("reads 37 shards as fast as before while the calls to three others are not answered", async () => {
    const far = open({ shardCount: 40, callMs: (shard) => (shard < 3 ? 15_000 : 30) });
    await far.pass(1_000);
    const stuck = await far.pass(4_000);
    far.stop();
    const near = open({ shardCount: 37, callMs: () => 30 });
    await near.pass(1_000);
    expect(stuck).toBeGreaterThan((await near.pass(4_000)) * 0.9);
  });

  it("reads a stream of 1,200 shards, most of them idle, at least once a second each", async () => {
    const far = open({ shardCount: 1_200, callMs: () => 30, putPerSecond: 1 });
    await far.pass(5_000);
    expect(Math.min(...far.taken)).toBeGreaterThanOrEqual(3);
    expect(far.heldBack).toEqual([]);
  });

  it("keeps the queue near its size while the host is slow, and calls the readers held back", async () => {
    const far = open({ shardCount: 40, callMs: () => 250, takenPerSecond: 500 });
    await far.pass(30_000);
    far.mostHeld = 0;
    expect(await far.pass(10_000)).toBeGreaterThan(490);
    expect(far.mostWaiting).toBeLessThanOrEqual(1_000);
    // In the queue, beside it, and on their way.
    expect(far.mostHeld).toBeLessThanOrEqual(1_500);
    expect(far.heldBack).not.toEqual([]);
  });

  it("keeps within the bytes when records are large", async () => {
    const maxBytes = 10 * 1_024 * 1_024;
    const far = open({ shardCount: 40, callMs: () => 250, recordBytes: 200_000, maxBytes });
    await far.pass(5_000);
    far.mostWaitingBytes = 0;
    expect(await far.pass(5_000)).toBeGreaterThan(100);
    expect(far.mostWaitingBytes).toBeLessThanOrEqual(maxBytes);
  });
});
