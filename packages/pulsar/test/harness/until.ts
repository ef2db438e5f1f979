import type { TestClock } from "@pulsar-ts-io/testkit";

const limitMs = 5_000;

/** Waits for `condition` while real sockets are at work; time, where `clock` is given, goes forward meanwhile. */
export async function until(condition: () => boolean, clock?: TestClock, stepMs = 20): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > limitMs) throw new Error(`not within ${limitMs} ms: ${condition}`);
    await turn();
    await turn();
    if (clock !== undefined) await clock.advance(stepMs);
  }
}

/** Lets sockets and promises do what they can without time, for some turns of the loop. */
export async function idle(turns = 20): Promise<void> {
  for (let count = 0; count < turns; count += 1) await turn();
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
