import { setTimeout as delay } from "node:timers/promises";
import { startPulsar } from "@pulsar-ts-io/testkit";
import { expect, it } from "vitest";
import { exactlyAsPut } from "../harness/comparison.ts";
import { cleanExit, Journey } from "../harness/journey.ts";
import { describeWithStack } from "../stack.ts";

/** A checkpoint that is there to be stored is stored with the next renewal of the lease, 3.3 s apart. */
const twoRenewalsMs = 7_000;

describeWithStack("a CLI that is killed while the broker is down", (stack) => {
  it("has stored no checkpoint past what the broker confirmed", async () => {
    await using broker = await startPulsar();
    const own = { ...stack, pulsarServiceUrl: broker.serviceUrl, pulsarAdminUrl: broker.adminUrl };
    await using journey = await Journey.begin(own, "both-killed", 2);
    await using first = journey.run();
    await journey.putTexts(500);
    await journey.arrived();

    await broker.kill();
    await journey.putTexts(3_000);
    await delay(twoRenewalsMs);
    await first.crash();
    await broker.restart();
    await using second = journey.run();
    await journey.arrived(180_000);
    expect(await second.stop(), second.output).toEqual(cleanExit);
    const comparison = journey.comparison();
    expect(comparison).toEqual({ ...exactlyAsPut, repeated: comparison.repeated });
  }, 400_000);
});
