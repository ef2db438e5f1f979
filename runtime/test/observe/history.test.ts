import { describe, expect, it } from "vitest";
import { History } from "../../src/observe/history.ts";
import { report } from "../support/report.ts";

describe("History", () => {
  it("adds instances up, takes the largest lag, and forgets what is older than an hour", () => {
    const history = new History();
    for (let sample = 0; sample < 400; sample += 1) {
      history.add(
        [report({ counts: { received: 1, lagMs: 5 } }), report({ counts: { received: 2, lagMs: 9 } })],
        sample,
      );
    }
    expect(history.samples).toHaveLength(360);
    expect(history.samples[0]?.atMs).toBe(40);
    expect(history.samples.at(-1)).toMatchObject({ received: 3, lagMs: 9, atMs: 399 });
    history.add([report()], 400);
    expect(history.samples.at(-1)).toMatchObject({ lagMs: null });
  });

  it("knows how fast a partition is read, and not when it is read anew", () => {
    const history = new History();
    const add = (received: number | undefined, atMs: number) =>
      history.add([report({ instanceId: 2, partitions: [{ id: "a", received }] })], atMs);
    add(10, 0);
    expect(history.recordsPerSecond(2, "a")).toBeUndefined();
    add(60, 10_000);
    expect(history.recordsPerSecond(2, "a")).toBe(5);
    expect(history.recordsPerSecond(1, "a")).toBeUndefined();
    add(3, 20_000);
    expect(history.recordsPerSecond(2, "a")).toBeUndefined();
    add(undefined, 30_000);
    expect(history.recordsPerSecond(2, "a")).toBeUndefined();
  });

  it("does not take what another instance read of a partition for its new reader's", () => {
    const history = new History();
    const add = (instanceId: number, received: number, atMs: number) =>
      history.add([report({ instanceId, partitions: [{ id: "a", received }] })], atMs);
    add(0, 10, 0);
    add(0, 60, 10_000);
    add(1, 100, 20_000);
    expect([0, 1].map((id) => history.recordsPerSecond(id, "a"))).toEqual([undefined, undefined]);
    add(1, 120, 30_000);
    expect(history.recordsPerSecond(1, "a")).toBe(2);
    add(0, 70, 40_000);
    expect([0, 1].map((id) => history.recordsPerSecond(id, "a"))).toEqual([undefined, undefined]);
  });
});
