import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { InstanceFleet } from "../../src/supervise/instance-fleet.ts";
import { InstanceSupervisor } from "../../src/supervise/instance-supervisor.ts";
import { counts, failure, ScriptedAttempt } from "../support/scripted-attempt.ts";

async function run(size: number) {
  const clock = new TestClock();
  const logger = new RecordingLogger();
  const attempts = Array.from({ length: size }, (): ScriptedAttempt[] => []);
  const supervisors = attempts.map((started, instanceId) => {
    const start = () => {
      const attempt = new ScriptedAttempt();
      started.push(attempt);
      return Promise.resolve(attempt);
    };
    const options = { instanceId, maxRestarts: undefined, startTimeoutMs: 0, clock, logger };
    return new InstanceSupervisor(start, { ...options, random: () => 0, mask: (text) => text });
  });
  const fleet = new InstanceFleet(supervisors, logger);
  const stop = new AbortController();
  const ended = fleet.run(stop.signal).catch((error: unknown) => error);
  await clock.settle();
  /** The newest start of an instance. */
  const newest = (instanceId: number): ScriptedAttempt => {
    const attempt = attempts[instanceId]?.at(-1);
    if (attempt === undefined) throw new Error(`instance ${instanceId} was not started`);
    return attempt;
  };
  const fail = async (instanceId: number, error: Error) => {
    newest(instanceId).fail(error);
    await clock.settle();
  };
  return { fleet, clock, attempts, newest, stop, ended, fail };
}

describe("InstanceFleet", () => {
  it("runs all until it is told to stop, and reports each by its id", async () => {
    const { fleet, stop, ended } = await run(3);
    const reports = await fleet.reports();
    expect(reports.map(({ instanceId, state }) => [instanceId, state])).toEqual([
      [0, "running"],
      [1, "running"],
      [2, "running"],
    ]);
    stop.abort(new Error("stop"));
    expect(await ended).toBeUndefined();
  });

  it("starts one again while the others go on", async () => {
    const { clock, attempts, fail } = await run(2);
    await fail(1, failure("killed"));
    await clock.advance(1_000);
    expect(attempts.map((started) => started.length)).toEqual([1, 2]);
  });

  it("starts one again that was never open as long as another was", async () => {
    const { clock, attempts, newest, fail } = await run(2);
    newest(1).opened = false;
    await fail(1, failure("throttled", "open"));
    await clock.advance(1_000);
    expect(attempts.map((started) => started.length)).toEqual([1, 2]);
  });

  it("stops all when one fails for good, and ends with its failure", async () => {
    const { fleet, fail, ended } = await run(3);
    const error = failure("too large", "pulsar", "PIO_MESSAGE_TOO_LARGE");
    await fail(1, error);
    expect(await ended).toBe(error);
    const reports = await fleet.reports();
    expect(reports.map(({ state }) => state)).toEqual(["stopped", "failed", "stopped"]);
  });

  it("adds up what all did; its lag is the largest", async () => {
    const { fleet, newest } = await run(2);
    newest(0).counts = counts(5, { lagMs: 10, inFlight: 1 });
    newest(1).counts = counts(7, { lagMs: 30, inFlight: 2 });
    expect(fleet.counts()).toMatchObject({ received: 12, inFlight: 3, lagMs: 30, lastReceivedTime: 7 });
  });
});
