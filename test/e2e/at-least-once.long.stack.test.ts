import { expect, it } from "vitest";
import { exactlyAsPut } from "../harness/comparison.ts";
import { describeWithStack } from "../stack.ts";
import { runKilledPair } from "./killed-pair.ts";

const counts = { kills: 50, records: 100_000, killsPerBrokerRestart: 10, longestLifeMs: 16_000 };

describeWithStack("ATLEAST_ONCE, with two workers that are killed again and again", (stack) => {
  it(`loses and alters none of ${counts.records} records, and first shows them in order, through ${counts.kills} kills, a split and broker restarts`, async () => {
    const comparison = await runKilledPair(stack, { guarantee: "ATLEAST_ONCE", ...counts });
    expect(comparison).toEqual({ ...exactlyAsPut, repeated: comparison.repeated });
  }, 3_600_000);
});
