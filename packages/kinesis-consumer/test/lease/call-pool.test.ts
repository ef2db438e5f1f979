import { crowdedController } from "@pulsar-ts-io/core";
import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { CallPool } from "../../src/lease/call-pool.ts";
import { Gate } from "../support/gate.ts";

describe("CallPool", () => {
  it("makes 32 calls at once, in order, and the next as soon as any of them ends", async () => {
    const rig = new PoolRig();
    void rig.each(100, (item) => (item % 32 === 0 ? 900 : 10));
    await rig.clock.settle();
    expect(rig.begun).toEqual(Array.from({ length: 32 }, (_, index) => index));
    await rig.clock.advance(100);
    expect(rig.begun).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(rig.most).toBe(32);
    expect(rig.underway).toBe(4);
  });

  it("makes fewer calls at once, but at least 4, while calls take longer than 1 s, and 32 again afterwards", async () => {
    const rig = new PoolRig();
    void rig.each(500, (item) => (item < 100 ? 1_001 : 10));
    const most: number[] = [];
    for (let second = 0; second < 6; second += 1) {
      rig.most = 0;
      await rig.clock.advance(1_001);
      await rig.clock.settle();
      most.push(rig.underway);
    }
    expect(most.slice(0, 4)).toEqual([16, 8, 4, 4]);
    await rig.clock.advance(20_000);
    expect(rig.ended).toBe(500);
    rig.most = 0;
    void rig.each(100, () => 10);
    await rig.clock.settle();
    expect(rig.underway).toBe(32);
  });

  it("begins no call while it must stand back; those under way end", async () => {
    const rig = new PoolRig();
    void rig.each(100, () => 10);
    await rig.clock.settle();
    rig.renewals.close();
    await rig.clock.advance(5_000);
    // One had been let through already.
    expect(rig.begun.length).toBeLessThanOrEqual(33);
    expect(rig.underway).toBe(0);
    rig.renewals.open();
    await rig.clock.advance(100);
    expect(rig.ended).toBe(100);
  });

  it("begins no call after a stop, and ends when those under way have ended", async () => {
    const rig = new PoolRig();
    const all = rig.each(100, () => 500);
    const outcome = expect(all).rejects.toThrow("stopped");
    await rig.clock.advance(100);
    rig.stop.abort(new Error("stopped"));
    await rig.clock.advance(1_000);
    await outcome;
    expect([rig.begun.length, rig.ended]).toEqual([32, 32]);
  });

  it("throws the error of a call when those under way have ended", async () => {
    const rig = new PoolRig();
    const all = rig.each(100, (item) => (item === 0 ? 10 : 500), 0);
    const outcome = expect(all).rejects.toThrow("call 0 failed");
    await rig.clock.advance(1_000);
    await outcome;
    expect([rig.begun.length, rig.ended]).toEqual([32, 31]);
  });
});

class PoolRig {
  readonly clock: TestClock = new TestClock();
  readonly stop: AbortController = crowdedController();
  /** Shut while renewals are late. */
  readonly renewals: Gate = new Gate();
  readonly begun: number[] = [];
  most = 0;
  underway = 0;
  ended = 0;
  readonly #pool = new CallPool({ clock: this.clock, standBack: () => this.renewals.passed() });

  /** Calls for 0, 1, …, each of which takes so long; that for `failing` fails then. */
  async each(count: number, callMs: (item: number) => number, failing?: number): Promise<void> {
    const call = async (item: number) => {
      this.begun.push(item);
      this.underway += 1;
      this.most = Math.max(this.most, this.underway);
      await this.clock.sleep(callMs(item), new AbortController().signal);
      this.underway -= 1;
      if (item === failing) throw new Error(`call ${item} failed`);
      this.ended += 1;
    };
    await this.#pool.each([...Array(count).keys()], call, this.stop.signal);
  }
}
