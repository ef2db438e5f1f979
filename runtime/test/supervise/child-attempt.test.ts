import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { ChildAttempt } from "../../src/supervise/child-attempt.ts";
import { JoinedChild } from "../support/joined-child.ts";
import { counts, failure, ScriptedAttempt } from "../support/scripted-attempt.ts";

/** An instance in a process of its own, under way; both ends are at hand. */
async function start(job: unknown = { any: "job" }) {
  const clock = new TestClock();
  const logger = new RecordingLogger();
  const inner = new ScriptedAttempt();
  const children: JoinedChild[] = [];
  const attempt = new ChildAttempt({
    launch: (listener) => {
      const joined = new JoinedChild(listener, () => Promise.resolve(inner), clock);
      children.push(joined);
      return joined;
    },
    job,
    drainTimeoutMs: 30_000,
    clock,
    logger,
  });
  const stop = new AbortController();
  const ended = attempt.run(stop.signal).catch((error: unknown) => error);
  await clock.settle();
  const [child] = children;
  if (child === undefined) throw new Error("no process was started");
  return { attempt, clock, logger, inner, child, stop, ended };
}

describe("ChildAttempt", () => {
  it("hands the job over, and ends well when it is told to stop", async () => {
    const { child, stop, ended, clock } = await start({ secrets: new Map([["a", "b"]]) });
    expect(child.jobs).toEqual([{ secrets: new Map([["a", "b"]]) }]);
    stop.abort(new Error("stop"));
    await clock.settle();
    expect(await ended).toBeUndefined();
    expect(child.killed).toBe(false);
  });

  it("shows what the process tells every second, and what it measured when asked", async () => {
    const { attempt, clock, inner } = await start();
    expect(attempt.view()).toMatchObject({ opened: false });
    inner.counts = counts(7);
    inner.families = [{ name: "x", help: "x", type: "gauge", samples: [] }];
    await clock.advance(1_000);
    expect(attempt.view()).toMatchObject({ opened: true, counts: { received: 7 } });
    inner.counts = counts(8);
    expect(await attempt.metrics()).toEqual(inner.families);
    expect(attempt.view().counts.received).toBe(8);
  });

  it("shows at once when its source is open", async () => {
    const clock = new TestClock();
    const inner = new ScriptedAttempt();
    inner.opened = false;
    const attempt = new ChildAttempt({
      launch: (listener) => new JoinedChild(listener, () => Promise.resolve(inner), clock),
      job: {},
      drainTimeoutMs: 1,
      clock,
      logger: new RecordingLogger(),
    });
    void attempt.run(new AbortController().signal);
    await clock.advance(10_050);
    inner.opened = true;
    expect(attempt.view().opened).toBe(false);
    await clock.advance(100);
    expect(attempt.view().opened).toBe(true);
  });

  it("shows what it saw last when the process does not answer within a second", async () => {
    const { attempt, clock, child, inner } = await start();
    inner.families = [{ name: "x", help: "x", type: "gauge", samples: [] }];
    await attempt.metrics();
    child.deaf = true;
    const asked = attempt.metrics();
    await clock.advance(1_000);
    expect(await asked).toEqual(inner.families);
  });

  it("fails with what the process failed with: stage, code, remedy", async () => {
    const { attempt, inner, ended, clock } = await start();
    inner.counts = counts(4);
    inner.fail(failure("refused", "pulsar", "PIO_MESSAGE_TOO_LARGE"));
    await clock.settle();
    expect(await ended).toMatchObject({
      message: "publishing to Pulsar failed: refused",
      code: "PIO_MESSAGE_TOO_LARGE",
      stage: "pulsar",
    });
    expect(attempt.view().counts.received).toBe(4);
  });

  it("takes no failure for one of the instance that is none", async () => {
    const { inner, ended, clock } = await start();
    inner.fail(Object.assign(new Error("not loaded"), { code: "PIO_PLUGIN_LOAD" }));
    await clock.settle();
    const error = await ended;
    expect(error).toMatchObject({ message: "not loaded", code: "PIO_PLUGIN_LOAD" });
    expect(error).not.toHaveProperty("stage");
  });

  it.each([
    [null, "SIGKILL", "was killed (SIGKILL), as a system does that runs out of memory"],
    [null, "SIGABRT", "ran out of heap memory"],
    [134, null, "ran out of heap memory"],
    [70, null, "ended with code 70 though nobody told it to"],
    [0, null, "ended with code 0 though nobody told it to"],
    [null, "SIGSEGV", "ended by SIGSEGV though nobody told it to"],
  ] as const)("says why a process died without a word: %s, %s", async (code, signal, text) => {
    const { child, ended } = await start();
    child.exit(code, signal);
    const error = await ended;
    expect(error).toMatchObject({ code: "PIO_INSTANCE_DIED", stage: "run" });
    expect(String(error)).toContain(text);
  });

  it("fails when the process stops although only its parent may say so", async () => {
    const { child, ended, clock } = await start();
    child.signal.abort(new Error("SIGTERM received"));
    await clock.settle();
    expect(await ended).toMatchObject({ code: "PIO_INSTANCE_DIED" });
  });

  it("leaves a process that still reports the time of every limit of its stop, and then kills it", async () => {
    const { child, stop, ended, clock, logger } = await start();
    child.deaf = true;
    stop.abort(new Error("stop"));
    await clock.advance(89_999); // 5 s to notice, 30 s drain, 30 s close, 10 s publishers, 10 s connection, 5 s to exit
    expect(child.killed).toBe(false);
    await clock.advance(1);
    expect(child.killed).toBe(true);
    expect(await ended).toMatchObject({ code: "PIO_SHUTDOWN_TIMEOUT", stage: "close" });
    expect(logger.messages("error")).toEqual(["instance did not stop in time, its process is killed"]);
  });

  it("kills a process that is past its drain time-out and reports nothing for 15 s", async () => {
    const { child, stop, ended, clock } = await start();
    child.deaf = true;
    stop.abort(new Error("stop"));
    await clock.advance(29_999);
    child.silent = true;
    await clock.advance(15_000);
    expect(child.killed).toBe(false);
    await clock.advance(1);
    expect(child.killed).toBe(true);
    expect(await ended).toMatchObject({ code: "PIO_SHUTDOWN_TIMEOUT", stage: "close" });
  });

  it("takes no harm from a process that was told to stop, too, before it could listen", async () => {
    const { child, stop, ended, clock } = await start();
    child.deaf = true;
    stop.abort(new Error("stop"));
    await clock.settle();
    child.exit(null, "SIGTERM");
    expect(await ended).toBeUndefined();
  });

  it("lets the instance drain when its parent is gone", async () => {
    const { child, ended, clock } = await start();
    child.orphan();
    await clock.settle();
    expect(await ended).toMatchObject({ code: "PIO_INSTANCE_DIED" }); // this side of it is still there to see it
  });

  it("leaves no listener on the signal of a run that outlives it", async () => {
    const clock = new TestClock();
    const signal = new AbortController().signal;
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    Object.assign(signal, {
      addEventListener: (...args: Parameters<typeof add>) => {
        listeners += 1;
        add(...args);
      },
      removeEventListener: (...args: Parameters<typeof remove>) => {
        listeners -= 1;
        remove(...args);
      },
    });
    const inner = new ScriptedAttempt();
    const attempt = new ChildAttempt({
      launch: (listener) => new JoinedChild(listener, () => Promise.resolve(inner), clock),
      job: {},
      drainTimeoutMs: 1,
      clock,
      logger: new RecordingLogger(),
    });
    const ended = attempt.run(signal).catch(() => undefined);
    await clock.settle();
    inner.fail(failure("the well is dry"));
    await ended;
    expect(listeners).toBe(0);
  });

  it("counts a process that was killed as a system exception, and what it had in flight as abandoned", async () => {
    const { attempt, child, clock, inner, ended } = await start();
    inner.counts = counts(9, { written: 4, inFlight: 5 });
    await clock.advance(1_000);
    child.exit(null, "SIGKILL");
    await clock.settle();
    expect(await ended).toMatchObject({ code: "PIO_INSTANCE_DIED" });
    const { counts: seen, errors } = attempt.view();
    expect(seen).toMatchObject({ systemExceptions: 1, abandoned: 5 });
    expect(errors.system).toMatchObject([
      { message: expect.stringContaining("was killed (SIGKILL), as a system does that runs out of memory") },
    ]);
  });
});
