import { describe, expect, it, vi } from "vitest";
import { ShardNotFoundError } from "../src/errors.ts";
import { activityOf, FanOutRig, fanOut, givenUp, restarts } from "./support/reader-rig.ts";
import { idOf, textsOf } from "./support/rig.ts";

// Hours pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 60_000 });

const forever = Number.POSITIVE_INFINITY;

describe("a stuck reader of enhanced fan-out", () => {
  it("is restarted when the answer to a subscription never comes, and reads on where it was", async () => {
    const rig = new FanOutRig();
    const worker = await rig.start({ retrieval: fanOut });
    const texts = [...rig.put(3)];
    await rig.until(() => worker.records.length === 3);
    const subscribe = rig.fanOut.subscribe.bind(rig.fanOut);
    let asked = 0;
    rig.fanOut.subscribe = () => {
      asked += 1;
      return new Promise(() => {});
    };
    rig.fanOut.cut(idOf(0), "reset");
    await rig.until(() => asked === 1);
    rig.fanOut.subscribe = subscribe;
    texts.push(...rig.put(3));
    const tookMs = await rig.until(() => worker.records.length === 6);
    expect(tookMs).toBeGreaterThan(20_000);
    expect(textsOf(worker.records)).toEqual(texts);
    await rig.close(worker);
  });

  it("subscribes again and again to a connection that says nothing, then its lease is given up", async () => {
    const rig = new FanOutRig();
    const worker = await rig.start({ retrieval: fanOut });
    await rig.pass(20_000);
    expect(activityOf(worker)).toEqual(["idle"]);
    const owner = rig.lease()?.owner;
    const cutAll = async (ms: number) => {
      for (let left = ms; left > 0; left -= 500) {
        rig.fanOut.cut(idOf(0), "silent");
        await rig.pass(500);
      }
    };
    await cutAll(100_000);
    expect(activityOf(worker)).toEqual(["stuck"]);
    expect(rig.lease()?.owner).toBe(owner);
    await cutAll(40_000);
    expect(rig.lease()?.owner).toBeUndefined();
    expect(givenUp(rig)).toBe(1);
    await rig.close(worker);
  });

  it("is restarted when the question whether the consumer is there never settles", async () => {
    const rig = new FanOutRig();
    const worker = await rig.start({ retrieval: fanOut });
    await rig.pass(10_000);
    rig.fanOut.describeConsumer = () => new Promise(() => {});
    rig.fanOut.refusals.push(new ShardNotFoundError("by order"));
    rig.fanOut.cut(idOf(0), "reset");
    await rig.pass(10_000);
    const texts = rig.put(3);
    const tookMs = await rig.until(() => worker.records.length === 3);
    expect(tookMs).toBeGreaterThan(45_000);
    expect(textsOf(worker.records)).toEqual(texts);
    expect(restarts(rig)).toBe(1);
    await rig.close(worker);
  });

  it("is not one that a service never tells of idle shards", async () => {
    const rig = new FanOutRig();
    rig.fanOut.emptyEventMs = forever;
    const worker = await rig.start({ retrieval: fanOut });
    const owner = rig.lease()?.owner;
    await rig.pass(3_600_000);
    expect(givenUp(rig)).toBe(0);
    expect(rig.lease()?.owner).toBe(owner);
    const texts = rig.put(2);
    await rig.until(() => worker.records.length === 2);
    expect(textsOf(worker.records)).toEqual(texts);
    await rig.close(worker);
  });
});
