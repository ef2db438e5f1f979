import { describe, expect, it } from "vitest";
import { liveness, readiness } from "../../src/observe/health.ts";
import type { InstanceReport, InstanceState } from "../../src/supervise/instance-report.ts";
import { report, trouble } from "../support/report.ts";

const nowMs = 1_000_000;
const stalled = (instanceId = 0) => report({ instanceId, stalled: "no receipts" });
const beside = trouble({ blocking: false });
const blocked = (forMs: number, instanceId = 0) =>
  report({ instanceId, troubles: [trouble({ sinceMs: nowMs - forMs })] });
const inState = (state: InstanceState, instanceId = 0) => report({ instanceId, state, error: "it broke" });

describe("health", () => {
  it.each<[string, InstanceReport[], boolean, boolean]>([
    ["one that runs, and one that is merely idle, are the same", [report()], true, true],
    ["one that starts", [inState("starting")], true, false],
    ["one that drains", [inState("draining")], true, false],
    ["one that waits for its next start", [inState("restarting")], true, false],
    ["one that failed for good", [inState("failed")], false, false],
    ["one in which nothing moves: a restart does not end an outage", [stalled()], true, false],
    ["one of two in which nothing moves", [report(), stalled(1)], true, true],
    ["two of which none can move", [stalled(), inState("failed", 1)], true, false],
    ["two that failed for good", [inState("failed"), inState("failed", 1)], false, false],
    ["one that a trouble has blocked for ten seconds", [blocked(10_000)], true, false],
    ["one that a trouble has blocked for less", [blocked(9_999)], true, true],
    ["one with a trouble that blocks nothing", [report({ troubles: [beside] })], true, true],
    ["one of two that a trouble has blocked", [report(), blocked(60_000, 1)], true, true],
    ["none yet", [], true, false],
  ])("%s", (_what, reports, live, ready) => {
    expect(liveness(reports).ok).toBe(live);
    expect(readiness(reports, nowMs).ok).toBe(ready);
  });

  it("says why", () => {
    expect(readiness([stalled(), inState("failed", 1)], nowMs).reason).toBe(
      "instance 0 is stalled: no receipts; instance 1 is failed: it broke",
    );
    expect(liveness([inState("failed")]).reason).toBe("instance 0 is failed: it broke");
  });

  it("names what fails, for how long, and the last error in the reason of readiness", () => {
    expect(readiness([blocked(75_000)], nowMs).reason).toBe(
      "instance 0 is running, broker connection failing for 75 s: the broker refused the connection",
    );
    expect(readiness([report(), blocked(75_000, 1)], nowMs).reason).toBe(
      "1 of 2 instances ready; instance 1 is running, broker connection failing for 75 s: the broker refused the connection",
    );
  });

  it("names what keeps a first start from its end", () => {
    const starting = report({ state: "starting", troubles: [trouble({ sinceMs: nowMs - 2_000 })] });
    expect(readiness([starting], nowMs).reason).toBe(
      "instance 0 is starting, broker connection failing for 2 s: the broker refused the connection",
    );
  });
});
