import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { InstanceFailedError } from "../../src/instance/errors.ts";
import {
  InstanceSupervisor,
  type InstanceSupervisorOptions,
} from "../../src/supervise/instance-supervisor.ts";
import { trouble } from "../support/report.ts";
import { counts, failure, ScriptedAttempt } from "../support/scripted-attempt.ts";

/** A supervised instance under way. Draws are in the middle: the first pause takes 750 ms. */
function supervise(options: Partial<InstanceSupervisorOptions> = {}, proven?: () => boolean) {
  const clock = new TestClock();
  const logger = new RecordingLogger();
  const attempts: ScriptedAttempt[] = [];
  const start = () => {
    const attempt = new ScriptedAttempt();
    attempts.push(attempt);
    return Promise.resolve(attempt);
  };
  const supervisor = new InstanceSupervisor(start, {
    instanceId: 3,
    maxRestarts: undefined,
    startTimeoutMs: 0,
    clock,
    logger,
    random: () => 0.5,
    mask: (text) => text.replaceAll("hunter2", "***"),
    ...options,
  });
  const stop = new AbortController();
  const ended = supervisor.run(stop.signal, proven).catch((error: unknown) => error);
  const fail = async (error: Error) => {
    attempts.at(-1)?.fail(error);
    await clock.settle();
  };
  /** Lets it fail, and waits for the next start. */
  const failAndRestart = async () => {
    await fail(failure("the well is dry"));
    const started = attempts.length;
    return await clock.advanceUntil(() => attempts.length > started);
  };
  return { supervisor, clock, logger, attempts, stop, ended, fail, failAndRestart };
}

describe("InstanceSupervisor", () => {
  it("starts what failed again, after pauses that double from 1 s to 60 s", async () => {
    const { clock, failAndRestart, stop, ended, supervisor } = supervise();
    await clock.settle();
    const pauses: number[] = [];
    for (let restart = 0; restart < 9; restart += 1) pauses.push(await failAndRestart());
    expect(pauses).toEqual([750, 1_500, 3_000, 6_000, 12_000, 24_000, 45_000, 45_000, 45_000]);
    expect(await supervisor.report()).toMatchObject({ restarts: 9 });
    stop.abort(new Error("stop"));
    expect(await ended).toBeUndefined();
  });

  it("draws its pauses, so that what failed together does not come back together", async () => {
    const { clock, failAndRestart } = supervise({ random: () => 0 });
    await clock.settle();
    expect(await failAndRestart()).toBe(500);
  });

  it("begins with the short pause again after five minutes that went well", async () => {
    const { clock, failAndRestart } = supervise();
    await clock.settle();
    await failAndRestart();
    await failAndRestart();
    await clock.advance(299_999);
    expect(await failAndRestart()).toBe(3_000);
    await clock.advance(300_000);
    expect(await failAndRestart()).toBe(750);
  });

  it("does not count time in which the source was never open as going well", async () => {
    const { clock, attempts, failAndRestart } = supervise();
    await clock.settle();
    await failAndRestart();
    const second = attempts.at(-1);
    if (second !== undefined) second.opened = false;
    await clock.advance(400_000);
    expect(await failAndRestart()).toBe(1_500);
  });

  it("ends with the first failure as long as the source was never open", async () => {
    const { clock, attempts, ended, fail } = supervise();
    await clock.settle();
    for (const attempt of attempts) attempt.opened = false;
    const error = failure("nobody there", "open");
    await fail(error);
    expect(await ended).toBe(error);
    expect(attempts).toHaveLength(1);
  });

  it("starts again what was never open where another instance of the source was", async () => {
    const { clock, attempts, failAndRestart } = supervise({}, () => true);
    await clock.settle();
    for (const attempt of attempts) attempt.opened = false;
    expect(await failAndRestart()).toBe(750);
  });

  it.each([
    ["a record that Pulsar will never take", failure("too large", "pulsar", "PIO_MESSAGE_TOO_LARGE")],
    ["a topic that was terminated", failure("terminated", "pulsar", "PIO_TOPIC_TERMINATED")],
    ["a reader that went away", failure("closed", "pulsar", "PIO_CONSOLE_CLOSED")],
    ["a failure that is none of the instance's", new Error("a defect")],
  ])("does not start again after %s", async (_, error) => {
    const { clock, attempts, ended, fail } = supervise();
    await clock.settle();
    await fail(error);
    expect(await ended).toBe(error);
    expect(attempts).toHaveLength(1);
  });

  it("gives up after as many restarts in a row as it may, with the last failure", async () => {
    const { clock, ended, fail, failAndRestart } = supervise({ maxRestarts: 2 });
    await clock.settle();
    await failAndRestart();
    await clock.advance(300_000);
    await failAndRestart();
    await failAndRestart();
    const last = failure("dry for good");
    await fail(last);
    expect(await ended).toBe(last);
  });

  it("starts nothing beside a source that did not close", async () => {
    const { clock, attempts, ended, fail } = supervise();
    await clock.settle();
    for (const attempt of attempts) attempt.lingering = true;
    const error = failure("it hangs");
    await fail(error);
    expect(await ended).toBe(error);
  });

  it("ends well when it is told to stop while it waits for the next start", async () => {
    const { clock, attempts, ended, fail, stop } = supervise();
    await clock.settle();
    await fail(failure("the well is dry"));
    stop.abort(new Error("stop"));
    expect(await ended).toBeUndefined();
    expect(attempts).toHaveLength(1);
  });

  it("ends well when its instance fails in the moment of the stop, and says so in the log", async () => {
    const { attempts, clock, ended, logger, stop, supervisor } = supervise();
    await clock.settle();
    for (const attempt of attempts) attempt.drainFailure = failure("the well is dry");
    stop.abort(new Error("stop"));
    expect(await ended).toBeUndefined();
    expect(await supervisor.report()).toMatchObject({ state: "stopped", restarts: 0 });
    expect(logger.messages("warn")).toEqual(["instance failed while it was stopped, nothing is left undone"]);
  });

  it("ends with what went wrong while it stopped", async () => {
    const { clock, attempts, ended, stop } = supervise();
    await clock.settle();
    const error = failure("receipts did not come", "pulsar", "PIO_SHUTDOWN_TIMEOUT");
    for (const attempt of attempts) attempt.drainFailure = error;
    stop.abort(new Error("stop"));
    expect(await ended).toBe(error);
  });

  it("counts over all starts what was done, and of the newest what is", async () => {
    const { clock, attempts, failAndRestart, supervisor } = supervise();
    await clock.settle();
    Object.assign(attempts[0] ?? {}, { counts: counts(5, { inFlight: 2, lagMs: 70 }) });
    expect(supervisor.counts()).toMatchObject({ received: 5, inFlight: 2, lagMs: 70 });
    await failAndRestart();
    Object.assign(attempts[1] ?? {}, { counts: counts(3, { failed: 1, lagMs: 9 }) });
    expect(supervisor.counts()).toMatchObject({ received: 8, written: 8, failed: 1, writtenBytes: 80 });
    expect(supervisor.counts()).toMatchObject({ inFlight: 0, lagMs: 9, lastReceivedTime: 5 });
    await failAndRestart();
    expect(supervisor.counts()).toMatchObject({ received: 8, failed: 1, lagMs: undefined });
  });

  it("says why and when it starts again", async () => {
    const { clock, fail, logger } = supervise();
    await clock.settle();
    await fail(failure("the well is dry"));
    expect(logger.linesOf("instance failed, it is started again after a pause")).toMatchObject([
      { level: "warn", fields: { restarts: 1, pauseMs: 750, err: { code: "PIO_INSTANCE_FAILED" } } },
    ]);
  });

  it("tells where it is in its life, and why it does not run", async () => {
    const { clock, supervisor, fail, failAndRestart, stop, ended } = supervise();
    expect(await supervisor.report()).toMatchObject({ instanceId: 3, state: "starting", error: "" });
    await clock.settle();
    expect(await supervisor.report()).toMatchObject({ state: "running", error: "" });
    await fail(failure("login with hunter2 refused"));
    expect(await supervisor.report()).toMatchObject({
      state: "restarting",
      error: "the source failed: login with *** refused",
      restarts: 1,
    });
    await clock.advance(750);
    expect(await supervisor.report()).toMatchObject({ state: "running", error: "" });
    await failAndRestart();
    stop.abort(new Error("stop"));
    await ended;
    expect(await supervisor.report()).toMatchObject({ state: "stopped", error: "", restarts: 2 });
  });

  it("tells that it failed for good, and why", async () => {
    const { clock, supervisor, fail, ended } = supervise({ maxRestarts: 0 });
    await clock.settle();
    await fail(failure("dry for good"));
    await ended;
    expect(await supervisor.report()).toMatchObject({
      state: "failed",
      error: "the source failed: dry for good",
    });
  });

  it("shows the code that the source's author chose", async () => {
    const { clock, supervisor, fail, ended } = supervise({ maxRestarts: 0 });
    await clock.settle();
    const cause = Object.assign(new Error("line too long"), { code: "LINE_TOO_LONG" });
    await fail(new InstanceFailedError("run", cause));
    await ended;
    expect(await supervisor.report()).toMatchObject({
      error: "the source failed: line too long [LINE_TOO_LONG]",
    });
  });

  it("remembers the last ten failures over all starts, without secrets", async () => {
    const { clock, attempts, failAndRestart, supervisor } = supervise();
    await clock.settle();
    for (let start = 0; start < 4; start += 1) {
      const system = [1, 2, 3].map((nth) => ({ message: `${start}.${nth} hunter2`, atMs: start }));
      Object.assign(attempts.at(-1) ?? {}, { errors: { system, source: system.slice(0, 1) } });
      await failAndRestart();
    }
    const { systemErrors, sourceErrors } = await supervisor.report();
    expect(systemErrors.map(({ message }) => message)).toEqual(
      ["0.3", "1.1", "1.2", "1.3", "2.1", "2.2", "2.3", "3.1", "3.2", "3.3"].map((nth) => `${nth} ***`),
    );
    expect(sourceErrors.map(({ message }) => message)).toEqual(
      ["0.1", "1.1", "2.1", "3.1"].map((nth) => `${nth} ***`),
    );
  });

  it("keeps the metrics of the last start while there is none", async () => {
    const { clock, attempts, fail, supervisor } = supervise();
    await clock.settle();
    const families = [{ name: "x", help: "x", type: "gauge", samples: [] }];
    Object.assign(attempts[0] ?? {}, { families });
    await supervisor.report();
    await fail(failure("the well is dry"));
    expect((await supervisor.report()).metrics).toEqual(families);
  });

  it("is not led astray by a wall clock that jumps", async () => {
    const { clock, failAndRestart } = supervise();
    await clock.settle();
    clock.setWallClock(clock.now() - 86_400_000);
    expect(await failAndRestart()).toBe(750);
    clock.setWallClock(clock.now() + 86_400_000);
    expect(await failAndRestart()).toBe(1_500);
  });

  it("reports an instance that waits for its next start as a trouble, since its first failure", async () => {
    const { supervisor, clock, stop, ended, fail } = supervise();
    await clock.settle();
    const failedMs = clock.now();
    await fail(failure("the password hunter2 was refused", "run", "WELL_DRY"));
    const { troubles } = await supervisor.report();
    expect(troubles).toMatchObject([
      {
        what: "running the instance",
        sinceMs: failedMs,
        code: "WELL_DRY",
        message: "the source failed: the password *** was refused",
        blocking: true,
      },
    ]);
    stop.abort(new Error("stop"));
    await ended;
  });

  it("shows what the parts of a running instance report, secrets masked", async () => {
    const { supervisor, clock, attempts, stop, ended } = supervise();
    await clock.settle();
    const [attempt] = attempts;
    if (attempt !== undefined)
      attempt.troubles = [trouble({ message: "hunter2 is wrong", remedy: "change hunter2" })];
    const { troubles } = await supervisor.report();
    expect(troubles).toEqual([trouble({ message: "*** is wrong", remedy: "change ***" })]);
    stop.abort(new Error("stop"));
    await ended;
  });

  it("reports a stall as a trouble where no other trouble explains it", async () => {
    const { supervisor, clock, attempts, stop, ended } = supervise();
    await clock.settle();
    const [attempt] = attempts;
    if (attempt !== undefined) attempt.stalled = "nothing was read for 60 s";
    expect((await supervisor.report()).troubles).toMatchObject([
      { what: "moving records", message: "nothing was read for 60 s", blocking: true },
    ]);
    if (attempt !== undefined) attempt.troubles = [trouble()];
    expect((await supervisor.report()).troubles).toEqual([trouble()]);
    stop.abort(new Error("stop"));
    await ended;
  });

  describe("with a start time-out of five minutes", () => {
    const away = () =>
      new InstanceFailedError("pulsar", Object.assign(new Error("connection refused"), { retryable: true }));

    it("retries a first start that fails for a reason that passes, and stays up once it is open", async () => {
      const { clock, attempts, fail, stop, ended, supervisor } = supervise(
        { startTimeoutMs: 300_000 },
        () => false,
      );
      await clock.settle();
      for (let start = 1; start < 4; start += 1) {
        await fail(away());
        await clock.advanceUntil(() => attempts.length > start);
      }
      expect((await supervisor.report()).restarts).toBe(3);
      stop.abort(new Error("stop"));
      expect(await ended).toBeUndefined();
    });

    it("starts again within 5 s, however long the reason lasts", async () => {
      const { clock, attempts, fail } = supervise({ startTimeoutMs: 300_000 }, () => false);
      await clock.settle();
      const pauses: number[] = [];
      for (let start = 1; start < 8; start += 1) {
        for (const attempt of attempts) attempt.opened = false;
        await fail(away());
        pauses.push(await clock.advanceUntil(() => attempts.length > start));
      }
      expect(pauses).toEqual([750, 1_500, 3_000, 3_750, 3_750, 3_750, 3_750]);
    });

    it("ends with the failure of the first start after that time", async () => {
      const { clock, fail, ended } = supervise({ startTimeoutMs: 300_000 }, () => false);
      await clock.settle();
      await clock.advance(300_000);
      const failed = away();
      await fail(failed);
      expect(await ended).toBe(failed);
    });

    it("ends at once with a failure that does not pass by itself", async () => {
      const { clock, fail, ended } = supervise({ startTimeoutMs: 300_000 }, () => false);
      await clock.settle();
      const failed = failure("there is no such stream", "open");
      await fail(failed);
      expect(await ended).toBe(failed);
    });
  });

  it("counts a start that fails before its instance exists", async () => {
    const clock = new TestClock();
    const start = () => Promise.reject(failure("the module cannot be loaded", "open"));
    const supervisor = new InstanceSupervisor(start, {
      instanceId: 0,
      maxRestarts: undefined,
      startTimeoutMs: 0,
      clock,
      logger: new RecordingLogger(),
      random: Math.random,
      mask: (text) => text,
    });
    await supervisor.run(new AbortController().signal).catch(() => undefined);
    const { counts: counted, systemErrors } = await supervisor.report();
    expect(counted.systemExceptions).toBe(1);
    expect(systemErrors).toMatchObject([{ message: "[Error]: the module cannot be loaded" }]);
  });
});
