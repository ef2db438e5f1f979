import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { AnswerLimit } from "../../src/cli/answer-limit.ts";

const hangs = () => new Promise<never>(() => undefined);

/** A job under a limit of a minute. */
function limited(job: (signal: AbortSignal, limit: AnswerLimit, clock: TestClock) => Promise<unknown>) {
  const clock = new TestClock();
  const limit = new AnswerLimit(clock, "check", 60_000);
  const stop = new AbortController();
  const ended = limit
    .run((signal) => job(signal, limit, clock), stop.signal)
    .catch((error: unknown) => error);
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  return { clock, stop, ended, hasEnded: () => hasEnded };
}

describe("AnswerLimit", () => {
  it("ends a job that ignores its signal when the time is up, and names what did not answer", async () => {
    const { clock, ended, hasEnded } = limited(hangs);
    await clock.advance(59_999);
    expect(hasEnded()).toBe(false);
    await clock.advance(1);
    expect(await ended).toMatchObject({
      code: "PIO_TOOL_TIMEOUT",
      message: "check did not answer within 60 s",
    });
  });

  it("starts the time again with each answer, and names the last one", async () => {
    const {
      clock: time,
      ended,
      hasEnded,
    } = limited(async (signal, limit, clock) => {
      for (const name of ["DescribeStream", "ListShards"]) {
        await clock.sleep(50_000, signal);
        limit.answered(name);
      }
      return await hangs();
    });
    await time.advance(159_999);
    expect(hasEnded()).toBe(false);
    await time.advance(1);
    expect(await ended).toMatchObject({ message: "check did not answer within 60 s after ListShards" });
  });

  it("ends with the reason of its signal at once, whatever the job waits for", async () => {
    const { clock, stop, ended } = limited(hangs);
    const reason = new Error("SIGTERM received");
    stop.abort(reason);
    await clock.settle();
    expect(await ended).toBe(reason);
  });

  it("aborts the job's signal when the time is up", async () => {
    let seen: AbortSignal | undefined;
    const { clock } = limited((signal) => {
      seen = signal;
      return hangs();
    });
    await clock.advance(200_000);
    expect(seen?.reason).toMatchObject({ code: "PIO_TOOL_TIMEOUT" });
  });

  it("returns what the job returns, throws what it throws, and leaves no timer behind", async () => {
    const done = limited(() => Promise.resolve(7));
    expect(await done.ended).toBe(7);
    const error = new Error("refused");
    const failed = limited(() => Promise.reject(error));
    expect(await failed.ended).toBe(error);
    await failed.clock.settle();
    expect([done.clock.sleepers, failed.clock.sleepers]).toEqual([0, 0]);
  });
});
