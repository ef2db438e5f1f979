import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { Once, waitFor, withDeadline, withEither } from "../src/wait.ts";

const never = new AbortController().signal;

describe("waitFor", () => {
  it("throws the signal's reason at once, whatever becomes of the promise", async () => {
    const reason = new Error("enough");
    const failing = new Promise<never>((_, reject) => {
      setImmediate(() => reject(new Error("nobody looks at this")));
    });
    await expect(waitFor(failing, AbortSignal.abort(reason))).rejects.toBe(reason);
    // An unhandled rejection would fail the run.
    await new Promise(setImmediate);
  });

  it("leaves no listener on the signal", async () => {
    const stop = new AbortController();
    await waitFor(Promise.resolve(1), stop.signal);
    await expect(waitFor(Promise.reject(new Error("no")), stop.signal)).rejects.toThrow("no");
    stop.abort(new Error("later"));
  });
});

describe("withDeadline", () => {
  it("aborts the work when its time is up, and leaves no sleeper when it ends before", async () => {
    const clock = new TestClock();
    const deadline = { clock, ms: 10, error: () => new Error("too late") };
    const hanging = withDeadline(deadline, never, (signal) => waitFor(new Once<1>().promise, signal));
    const outcome = expect(hanging).rejects.toThrow("too late");
    await clock.advance(10);
    await outcome;
    expect(await withDeadline(deadline, never, () => Promise.resolve(7))).toBe(7);
    expect(clock.sleepers).toBe(0);
  });
});

describe("withEither", () => {
  it.each([0, 1])("aborts with the reason of signal %i", async (index) => {
    const stops = [new AbortController(), new AbortController()];
    const work = withEither(
      stops.map((stop) => stop.signal),
      (signal) => waitFor(new Once<1>().promise, signal),
    );
    const reason = new Error("enough");
    stops[index]?.abort(reason);
    await expect(work).rejects.toBe(reason);
  });
});
