import type { Trouble } from "@pulsar-ts-io/core";
import type { InstanceReport } from "../supervise/instance-report.ts";

/** How long a trouble may block an instance before it is not ready, milliseconds. Most retries help sooner. */
const toleratedMs = 10_000;

/** Whether all is well, and why not. */
export interface Verdict {
  readonly ok: boolean;
  readonly reason: string;
}

/**
 * Liveness: fails only for what a restart of the process cures, which is every instance having failed for good.
 *
 * An outage of Pulsar or of what the source reads from is none: the source recovers by itself when that does, and the
 * supervisor restarts an instance that hangs. A process whose event loop is blocked cannot answer, and ends itself.
 */
export function liveness(reports: readonly InstanceReport[]): Verdict {
  const dead = reports.filter(({ state }) => state === "failed");
  if (reports.length > 0 && dead.length === reports.length) return { ok: false, reason: reasonsOf(dead, 0) };
  return { ok: true, reason: "alive" };
}

/** Readiness: whether records can move. An instance that has none to move is ready. @param nowMs epoch milliseconds. */
export function readiness(reports: readonly InstanceReport[], nowMs: number): Verdict {
  const ready = reports.filter((report) => isReady(report, nowMs));
  const waiting = reports.filter((report) => !isReady(report, nowMs));
  if (ready.length === 0) return { ok: false, reason: reasonsOf(reports, nowMs) };
  const counts = `${ready.length} of ${reports.length} instances ready`;
  return {
    ok: true,
    reason: [counts, ...(waiting.length > 0 ? [reasonsOf(waiting, nowMs)] : [])].join("; "),
  };
}

/** Whether records can move through one instance. */
export function isReady(report: InstanceReport, nowMs: number): boolean {
  return report.state === "running" && report.stalled === undefined && blockerOf(report, nowMs) === undefined;
}

function blockerOf({ troubles }: InstanceReport, nowMs: number): Trouble | undefined {
  return troubles.find(({ blocking, sinceMs }) => blocking && nowMs - sinceMs >= toleratedMs);
}

function reasonsOf(reports: readonly InstanceReport[], nowMs: number): string {
  const reasons = reports.map((report) => `instance ${report.instanceId} ${reasonOf(report, nowMs)}`);
  return reasons.length === 0 ? "no instance was started" : reasons.join("; ");
}

function reasonOf(report: InstanceReport, nowMs: number): string {
  const { state, stalled, error, troubles } = report;
  if (stalled !== undefined) return `is stalled: ${stalled}`;
  const trouble = blockerOf(report, nowMs) ?? (state === "starting" ? troubles[0] : undefined);
  if (trouble !== undefined && (state === "running" || state === "starting")) {
    return `is ${state}, ${describeTrouble(trouble, nowMs)}`;
  }
  return error === "" ? `is ${state}` : `is ${state}: ${error}`;
}

/** One trouble in one sentence, without its remedy. */
export function describeTrouble({ what, sinceMs, message }: Trouble, nowMs: number): string {
  return `${what} failing for ${Math.max(0, Math.round((nowMs - sinceMs) / 1_000))} s: ${message}`;
}
