import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { ShardPace } from "../../src/fetch/shard-pace.ts";

const never = new AbortController().signal;

/** Wakes those who sleep too late, as a process does that has more to do than it has time for. */
class LateClock extends TestClock {
  readonly #lateMs: number;

  constructor(lateMs: number) {
    super();
    this.#lateMs = lateMs;
  }

  override async sleep(ms: number, signal: AbortSignal): Promise<void> {
    await super.sleep(ms === 250 ? ms + this.#lateMs : ms, signal);
  }
}

describe("ShardPace", () => {
  it.each([
    { lateMs: 0, pauseMs: 0 },
    { lateMs: 200, pauseMs: 0 },
    { lateMs: 300, pauseMs: 1_200 },
    { lateMs: 4_000, pauseMs: 10_000 },
    { lateMs: 60_000, pauseMs: 0 },
  ])("pauses $pauseMs ms more when a reader is woken $lateMs ms too late", async ({ lateMs, pauseMs }) => {
    const clock = new LateClock(lateMs);
    const pace = new ShardPace(clock, 1_000);
    pace.called();
    let done = false;
    void pace.wait(never).then(() => {
      done = true;
    });
    const took = await clock.advanceUntil(() => done);
    expect(took).toBe(250 + lateMs + pauseMs);
  });
});
