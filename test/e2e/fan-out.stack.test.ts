import { expect, it } from "vitest";
import { exactlyAsPut } from "../harness/comparison.ts";
import { cleanExit, Journey } from "../harness/journey.ts";
import { describeWithStack } from "../stack.ts";

describeWithStack("the real CLI with enhanced fan-out, its default", (stack) => {
  it("delivers every record as it was put and in order, and repeats none after a clean stop", async () => {
    await using journey = await Journey.begin(stack, "fan-out", 2);
    const config = { useEnhancedFanOut: true };
    await journey.putTexts(200);
    await using first = journey.run({ config });
    await journey.arrived();
    await journey.putTexts(200);
    await journey.arrived();
    expect(await first.stop(), first.output).toEqual(cleanExit);

    await journey.putTexts(200);
    await using second = journey.run({ config });
    await journey.arrived();
    expect(await second.stop(), second.output).toEqual(cleanExit);
    expect(journey.comparison()).toEqual(exactlyAsPut);
  });
});
