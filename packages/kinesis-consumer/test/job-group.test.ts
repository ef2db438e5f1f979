import { describe, expect, it } from "vitest";
import { JobGroup } from "../src/job-group.ts";
import { aborted } from "../src/joined-signal.ts";

describe("JobGroup", () => {
  it("gives each job a signal of its own, which the listeners of the other jobs do not slow down", async () => {
    const group = new JobGroup();
    const stop = new AbortController();
    const signals = new Set<AbortSignal>();
    for (let job = 0; job < 3; job += 1) {
      group.start(async (signal) => {
        signals.add(signal);
        await aborted(signal);
      });
    }
    const run = group.run(stop.signal);
    stop.abort(new Error("enough"));
    await run;
    expect(signals.size).toBe(3);
    expect([...signals].map((signal) => signal.reason)).toEqual(Array(3).fill(stop.signal.reason));
  });

  it("stops the other jobs when one fails, and fails with its error", async () => {
    const group = new JobGroup();
    const failure = new Error("the table is gone");
    let stopped = 0;
    for (let job = 0; job < 2; job += 1) {
      group.start(async (signal) => {
        await aborted(signal);
        stopped += 1;
        throw signal.reason;
      });
    }
    group.start(() => Promise.reject(failure));
    await expect(group.run(new AbortController().signal)).rejects.toBe(failure);
    expect(stopped).toBe(2);
  });

  it("stops a job that starts while the group is stopping", async () => {
    const group = new JobGroup();
    const stop = new AbortController();
    let late: AbortSignal | undefined;
    group.start(async (signal) => {
      await aborted(signal);
      group.start(async (own) => {
        late = own;
        await aborted(own);
      });
    });
    const run = group.run(stop.signal);
    stop.abort(new Error("enough"));
    await run;
    expect(late?.reason).toBe(stop.signal.reason);
  });
});
