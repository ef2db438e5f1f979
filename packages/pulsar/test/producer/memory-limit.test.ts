import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultPublisherOptions } from "../../src/index.ts";
import { never } from "../harness/wire.ts";
import { WireRig } from "../harness/wire-rig.ts";

describe("the memory limit of a transport", () => {
  let rig: WireRig;

  beforeEach(() => {
    rig = new WireRig({ memoryLimitBytes: 1_000 });
  });

  afterEach(() => rig.end());

  it("fills up every publisher when they have it together, and makes room in each when one is confirmed", async () => {
    const options = { ...defaultPublisherOptions, batching: undefined };
    const one = await rig.open(options, "one");
    const two = await rig.open(options, "two");
    rig.holdReceipts();
    rig.deliveries.send(one, { value: Buffer.alloc(600) });
    expect([one.full, two.full]).toEqual([false, false]);
    rig.deliveries.send(two, { value: Buffer.alloc(400) });
    expect([one.full, two.full]).toEqual([true, true]);
    const rooms = [one.room(never), two.room(never)];
    await rig.clock.settle();
    const sends = rig.broker.sends;
    expect(sends).toHaveLength(2);
    const [first] = sends;
    if (first !== undefined) rig.broker.last.receipt(first, { ledgerId: 1n, entryId: 1n });
    await Promise.all(rooms);
    expect([one.full, two.full]).toEqual([false, false]);
  });

  it("gets back what a closed publisher had", async () => {
    const one = await rig.open(defaultPublisherOptions, "one");
    const two = await rig.open(defaultPublisherOptions, "two");
    rig.holdReceipts();
    rig.deliveries.send(one, { value: Buffer.alloc(2_000) });
    expect(two.full).toBe(true);
    const room = two.room(never);
    await one.close();
    await room;
    expect(two.full).toBe(false);
  });
});
