import { type Job, runTogether, systemClock } from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";

const untilStopped: Job = (signal) => systemClock.sleep(2 ** 30, signal);

describe("runTogether", () => {
  it("stops the others when one job fails, and throws that failure once all have ended", async () => {
    const ended: string[] = [];
    const failure = new Error("the pump broke");
    const run = runTogether(new AbortController().signal, [
      async (signal) => {
        await untilStopped(signal).finally(() => ended.push("patient"));
      },
      () => Promise.reject(failure),
    ]);
    await expect(run).rejects.toBe(failure);
    expect(ended).toEqual(["patient"]);
  });

  it("stops the others when one job returns", async () => {
    await runTogether(new AbortController().signal, [untilStopped, () => Promise.resolve()]);
  });

  it("ends without a failure when its signal aborts and the jobs obey", async () => {
    const stop = new AbortController();
    const run = runTogether(stop.signal, [untilStopped, untilStopped]);
    stop.abort(new Error("enough"));
    await run;
  });

  it("reports a job that fails while it is being stopped", async () => {
    const stop = new AbortController();
    const failure = new Error("could not let go");
    const run = runTogether(stop.signal, [
      (signal) => untilStopped(signal).catch(() => Promise.reject(failure)),
    ]);
    stop.abort(new Error("enough"));
    await expect(run).rejects.toBe(failure);
  });

  it("starts nothing when the signal is aborted already", async () => {
    let started = false;
    const reason = new Error("too late");
    const run = runTogether(AbortSignal.abort(reason), [
      () => {
        started = true;
        return Promise.resolve();
      },
    ]);
    await expect(run).rejects.toBe(reason);
    expect(started).toBe(false);
  });
});
