import type { TestClock } from "@pulsar-ts-io/testkit";

const limit = 5_000;

/** Lets everything happen that needs no time, and then time pass in steps, until `condition` holds. */
export async function until(condition: () => boolean, clock: TestClock, stepMs = 20): Promise<void> {
  for (let step = 0; !condition(); step += 1) {
    if (step > limit) throw new Error(`not within ${limit} steps of ${stepMs} ms: ${condition}`);
    await clock.settle();
    if (!condition()) await clock.advance(stepMs);
  }
}
