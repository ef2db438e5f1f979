import { describe, expect, it } from "vitest";
import { liveness, readiness } from "../../src/observe/health.ts";
import type { InstanceReport, InstanceState } from "../../src/supervise/instance-report.ts";
import { report } from "../support/report.ts";

const stalled = (instanceId = 0) => report({ instanceId, stalled: "no receipts" });
const inState = (state: InstanceState, instanceId = 0) => report({ instanceId, state, error: "it broke" });

describe("health", () => {
  it.each<[string, InstanceReport[], boolean, boolean]>([
    ["one that runs, and one that is merely idle, are the same", [report()], true, true],
    ["one that starts", [inState("starting")], true, false],
    ["one that drains", [inState("draining")], true, false],
    ["one that waits for its next start", [inState("restarting")], true, false],
    ["one that failed for good", [inState("failed")], false, false],
    ["one in which nothing moves", [stalled()], false, false],
    ["one of two in which nothing moves", [report(), stalled(1)], true, true],
    ["two of which none can move", [stalled(), inState("failed", 1)], false, false],
    ["none yet", [], true, false],
  ])("%s", (_what, reports, live, ready) => {
    expect(liveness(reports).ok).toBe(live);
    expect(readiness(reports).ok).toBe(ready);
  });

  it("says why", () => {
    expect(readiness([stalled(), inState("failed", 1)]).reason).toBe(
      "instance 0 is stalled: no receipts; instance 1 is failed: it broke",
    );
    expect(liveness([inState("failed")]).reason).toBe("instance 0 is failed: it broke");
  });
});
