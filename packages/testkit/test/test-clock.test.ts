import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TestClock } from "../src/index.ts";

const never = new AbortController().signal;

describe("TestClock", () => {
  it("wakes sleepers in the order of their deadlines, those of one deadline in the order they lay down", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 50 })), async (waits) => {
        const clock = new TestClock();
        const woken: [number, number][] = [];
        const sleeps = waits.map(async (ms, place) => {
          await clock.sleep(ms, never);
          woken.push([clock.monotonic(), place]);
        });
        await clock.advance(50);
        await Promise.all(sleeps);
        const expected = waits.map((ms, place): [number, number] => [ms, place]);
        expect(woken).toEqual(expected.sort((a, b) => a[0] - b[0] || a[1] - b[1]));
      }),
    );
  });

  it("lets what one sleeper sets off happen before the next one wakes", async () => {
    const clock = new TestClock();
    const log: string[] = [];
    const ticker = (async () => {
      for (let i = 0; i < 3; i++) {
        await clock.sleep(10, never);
        log.push(`tick ${clock.monotonic()}`);
      }
    })();
    const late = clock.sleep(25, never).then(() => log.push(`late ${clock.monotonic()}`));
    await clock.advance(30);
    await Promise.all([ticker, late]);
    expect(log).toEqual(["tick 10", "tick 20", "late 25", "tick 30"]);
  });

  it("wakes nobody before time, and forgets a sleeper whose signal was aborted", async () => {
    const clock = new TestClock();
    const stop = new AbortController();
    const slept = clock.sleep(10, stop.signal);
    await clock.advance(9);
    expect([clock.sleepers, clock.nextWakeMs]).toEqual([1, 1]);
    const reason = new Error("stop");
    stop.abort(reason);
    await expect(slept).rejects.toBe(reason);
    expect(clock.sleepers).toBe(0);
    await expect(clock.sleep(10, stop.signal)).rejects.toBe(reason);
  });

  it("needs nobody to move it for a sleep of zero", async () => {
    const clock = new TestClock();
    await clock.sleep(0, never);
    expect(clock.monotonic()).toBe(0);
  });

  it("does not stand still for a loop that sleeps for less than the clock can tell", async () => {
    const clock = new TestClock();
    await clock.advance(10_000);
    const slept = clock.sleep(1e-13, never).then(() => clock.monotonic());
    await clock.advance(1);
    expect(await slept).toBeGreaterThan(10_000);
  });

  it("keeps durations apart from the wall clock", async () => {
    const clock = new TestClock({ startMs: 1_000 });
    await clock.advance(5);
    clock.setWallClock(500);
    await clock.advance(5);
    expect([clock.now(), clock.monotonic()]).toEqual([505, 10]);
  });

  it("moves on until a condition holds, and gives up when it cannot", async () => {
    const clock = new TestClock();
    let rounds = 0;
    const stop = new AbortController();
    const loop = (async () => {
      while (true) {
        await clock.sleep(1_000, stop.signal);
        rounds += 1;
      }
    })();
    expect(await clock.advanceUntil(() => rounds === 3)).toBe(3_000);
    await expect(clock.advanceUntil(() => rounds === 9, 2_500)).rejects.toThrow("within 2500 ms");
    stop.abort(new Error("stop"));
    await expect(loop).rejects.toThrow("stop");
    await expect(clock.advanceUntil(() => false)).rejects.toThrow("nobody waits");
  });
});
