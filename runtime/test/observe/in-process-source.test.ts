import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { InProcessSource } from "../../src/observe/in-process-source.ts";
import { MetricRegistry } from "../../src/observe/metric-registry.ts";
import { InstanceSupervisor } from "../../src/supervise/instance-supervisor.ts";
import { counts, failure, ScriptedAttempt } from "../support/scripted-attempt.ts";

/** A supervised instance that is watched, and the hands to steer it. */
async function watch(maxRestarts?: number) {
  const clock = new TestClock();
  const attempts: ScriptedAttempt[] = [];
  const start = () => {
    attempts.push(new ScriptedAttempt());
    return Promise.resolve(latest());
  };
  const latest = () => attempts.at(-1) ?? new ScriptedAttempt();
  const logger = new RecordingLogger();
  const supervisor = new InstanceSupervisor(start, { maxRestarts, clock, logger, random: () => 0 });
  const source = new InProcessSource(supervisor, {
    instanceId: 3,
    clock,
    metrics: new MetricRegistry(clock),
    mask: (text) => text.replaceAll("hunter2", "***"),
  });
  const report = async () => {
    const [only] = await source.reports();
    if (only === undefined) throw new Error("no report");
    return only;
  };
  const stop = new AbortController();
  const before = await report();
  const ended = supervisor.run(stop.signal).catch((error: unknown) => error);
  await clock.settle();
  return { before, clock, latest, report, stop, ended };
}

describe("InProcessSource", () => {
  it("tells the state of its instance from its start to its end", async () => {
    const { before, clock, latest, report, stop, ended } = await watch();
    expect(before).toMatchObject({ instanceId: 3, state: "starting", restarts: 0, error: "" });
    expect(await report()).toMatchObject({ state: "running", error: "" });
    latest().fail(failure("the well is dry"));
    await clock.settle();
    expect(await report()).toMatchObject({ state: "restarting", restarts: 1 });
    expect((await report()).error).toBe("the source failed: the well is dry");
    await clock.advance(1_000);
    expect(await report()).toMatchObject({ state: "running", restarts: 1, error: "" });
    latest().draining = true;
    expect(await report()).toMatchObject({ state: "draining" });
    stop.abort(new Error("stop"));
    await ended;
    expect(await report()).toMatchObject({ state: "stopped", error: "" });
  });

  it("keeps the last ten failures over all starts, without the secrets", async () => {
    const { clock, latest, report, ended } = await watch(1);
    for (const start of [1, 2]) {
      const errors = Array.from({ length: 6 }, (_, index) => `[E]: ${start}.${index} hunter2`);
      latest().errors = { system: errors.map((message) => ({ message, atMs: start })), source: [] };
      latest().fail(failure("login with hunter2 refused"));
      await clock.advance(1_000);
    }
    await ended;
    const { state, error, systemErrors } = await report();
    expect([state, error]).toEqual(["failed", "the source failed: login with *** refused"]);
    expect(systemErrors).toHaveLength(10);
    expect(systemErrors[0]?.message).toBe("[E]: 1.2 ***");
    expect(systemErrors.at(-1)?.message).toBe("[E]: 2.5 ***");
  });

  it("calls an instance stalled whose records nobody confirms, and not one that merely has none", async () => {
    const { clock, latest, report } = await watch();
    latest().counts = counts(5, { written: 4, inFlight: 1 });
    expect((await report()).stalled).toBeUndefined();
    await clock.advance(59_000);
    expect((await report()).stalled).toBeUndefined();
    await clock.advance(1_000);
    expect((await report()).stalled).toBe(
      "Pulsar has confirmed nothing for 60 s; records that wait for it: 1",
    );
    latest().counts = counts(5);
    expect((await report()).stalled).toBeUndefined();
    await clock.advance(600_000);
    expect((await report()).stalled).toBeUndefined();
  });
});
