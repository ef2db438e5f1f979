import { expect, it } from "vitest";
import { exactlyAsPut } from "../harness/comparison.ts";
import { byTier } from "../harness/tier.ts";
import { describeWithStack } from "../stack.ts";
import { runKilledPair } from "./killed-pair.ts";

const counts = byTier({
  quick: { kills: 3, records: 3_000, killsPerBrokerRestart: 3, longestLifeMs: 8_000 },
  // Long enough for what a killed worker had to be taken over, and for the flow to be full again.
  long: { kills: 50, records: 100_000, killsPerBrokerRestart: 10, longestLifeMs: 16_000 },
});

describeWithStack("EFFECTIVELY_ONCE, with two workers that are killed again and again", (stack) => {
  it(`stores each of ${counts.records} records once and in order, through ${counts.kills} kills, a split and broker restarts`, async () => {
    const comparison = await runKilledPair(stack, { guarantee: "EFFECTIVELY_ONCE", ...counts });
    expect(comparison).toEqual(exactlyAsPut);
  }, 3_600_000);
});
