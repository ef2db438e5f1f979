import { TestClock } from "@pulsar-ts-io/testkit";
import { expect, it } from "vitest";
import { keepAlive } from "../../src/connection/keep-alive.ts";
import { until } from "../harness/until.ts";
import { never } from "../harness/wire.ts";

it("gives a blocked event loop a second to read what has come, and takes only silence after that for death", async () => {
  const clock = new TestClock();
  // Each round asks when it begins, after 30 s, and a second later.
  const readLate = [false, false, true];
  const answers = [...readLate, ...readLate, false, false, false];
  let pings = 0;
  const pulse = {
    ping: () => {
      pings += 1;
    },
    heard: () => answers.shift() ?? true,
  };
  let diedAt: number | undefined;
  const living = keepAlive(pulse, clock, never).then(() => {
    diedAt = clock.monotonic();
  });
  await until(() => diedAt !== undefined, clock, 1_000);
  await living;
  expect([diedAt, pings]).toEqual([93_000, 3]);
});
