import { describe, expect, it, vi } from "vitest";
import type { KinesisStream, RecordPage } from "../src/shard/kinesis-stream.ts";
import { FanOutRig, fanOut } from "./support/reader-rig.ts";
import { Rig, textsOf } from "./support/rig.ts";

// Minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 60_000 });

describe("what a reader holds while it waits for the next page", () => {
  it("has none of the payloads that were taken in", async () => {
    const rig = new Rig(2);
    const pages: RecordPage[] = [];
    rig.through = (stream) =>
      new Proxy<KinesisStream>(stream, {
        get(target, key) {
          const value: unknown = Reflect.get(target, key, target);
          if (typeof value !== "function") return value;
          if (key !== "getRecords") return value.bind(target);
          return async (...args: unknown[]) => {
            const page: RecordPage = await Reflect.apply(value, target, args);
            pages.push(page);
            return page;
          };
        },
      });
    const texts = rig.put(300);
    const worker = await rig.start();
    await rig.until(() => worker.records.length === texts.length);
    expect(textsOf(worker.records).toSorted()).toEqual(texts.toSorted());
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.flatMap((page) => page.records)).toEqual([]);
    await rig.close(worker);
  });

  it("is no event of a subscription for which there is no room, once more is known to come", async () => {
    const rig = new FanOutRig(2);
    rig.fanOut.eventRecords = 50;
    rig.put(2_000);
    const worker = rig.worker({ retrieval: fanOut, maxBufferedRecords: 100 });
    const opening = worker.consumer.open(worker.stop.signal);
    await rig.pass(5_000);
    await opening;
    await rig.pass(60_000);
    expect(rig.fanOut.pulled).toBe(2);
    for (let count = 0; count < 60; count += 1) worker.consumer.poll()?.ack();
    await rig.pass(5_000);
    expect(rig.fanOut.pulled).toBe(3);
    await rig.close(worker);
  });
});
