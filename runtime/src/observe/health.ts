import type { InstanceReport } from "../supervise/instance-report.ts";

/** Whether all is well, and why not. */
export interface Verdict {
  readonly ok: boolean;
  readonly reason: string;
}

/** Whether to leave it alone: not when no instance can move any more, and none will by itself. */
export function liveness(reports: readonly InstanceReport[]): Verdict {
  const dead = reports.filter((report) => report.state === "failed" || report.stalled !== undefined);
  if (reports.length > 0 && dead.length === reports.length) return { ok: false, reason: reasonOf(dead) };
  return { ok: true, reason: "alive" };
}

/** Whether records can move. One that has none to move is ready. */
export function readiness(reports: readonly InstanceReport[]): Verdict {
  const ready = reports.filter((report) => report.state === "running" && report.stalled === undefined);
  if (ready.length > 0) return { ok: true, reason: `${ready.length} of ${reports.length} instances ready` };
  return { ok: false, reason: reasonOf(reports) };
}

function reasonOf(reports: readonly InstanceReport[]): string {
  const reasons = reports.map(
    ({ instanceId, state, stalled, error }) =>
      `instance ${instanceId} ${[stalled === undefined ? `is ${state}` : "is stalled", stalled ?? error].filter((part) => part !== "").join(": ")}`,
  );
  return reasons.length === 0 ? "no instance was started" : reasons.join("; ");
}
