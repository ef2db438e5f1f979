import { afterEach, describe, expect, it, vi } from "vitest";
import { SeededRandom } from "../../../../test/harness/seeded-random.ts";
import { byTier, runSeed } from "../../../../test/harness/tier.ts";
import { type Numbers, Schedule } from "./schedule.ts";

/** The first is the run's: `npm test -- --part fault-schedules --seed N` begins with the schedule N. */
const numbers: readonly Numbers[] = ["none", "kept", "begun-anew"];
const seeds = Array.from({ length: byTier({ quick: 20, long: 200 }) }, (_, index) => runSeed + index);

// Names and jitter are drawn from the seed, too: a schedule is the same each time.
let random = new SeededRandom(0);
vi.mock("node:crypto", async (original) => ({
  ...(await original<typeof import("node:crypto")>()),
  randomBytes: (length: number) => random.bytes(length),
}));

afterEach(() => {
  vi.restoreAllMocks();
});

describe("whatever fails", () => {
  it.each(seeds.map((seed) => ({ seed, numbered: numbers[seed % numbers.length] ?? "none" })))(
    "no record is lost, no checkpoint and no number is wrong: schedule $seed, numbers $numbered",
    async ({ seed, numbered }) => {
      random = new SeededRandom(seed);
      vi.spyOn(Math, "random").mockImplementation(() => random.next());
      const schedule = new Schedule(seed, numbered);
      await schedule.run().catch((error: unknown) => {
        const { stack } = error instanceof Error ? error : new Error(String(error));
        expect.fail(`npm test -- --part fault-schedules --seed ${seed}\n${schedule.story}\n${stack}`);
      });
    },
    120_000,
  );
});
