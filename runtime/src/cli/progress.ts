import type { Clock, Logger } from "@pulsar-ts-io/core";
import type { InstanceSnapshot } from "../instance/counters.ts";
import type { Terminal } from "./terminal.ts";

const redrawEveryMs = 500;
const logEveryMs = 30_000;

/** What progress is shown of, and where. */
export interface ProgressOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly terminal: Terminal;
  readonly snapshot: () => InstanceSnapshot;
}

/** Shows how the run goes until `signal` aborts: a live line where somebody watches, else a log line every 30 s. */
export async function showProgress(options: ProgressOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger, terminal, snapshot } = options;
  const everyMs = terminal.interactive ? redrawEveryMs : logEveryMs;
  let before = { written: 0, atMs: clock.monotonic() };
  try {
    while (!signal.aborted) {
      await clock.sleep(everyMs, signal);
      const now = snapshot();
      const atMs = clock.monotonic();
      const perSecond = ((now.written - before.written) * 1_000) / Math.max(1, atMs - before.atMs);
      before = { written: now.written, atMs };
      if (terminal.interactive) terminal.live(progressLine(now, perSecond));
      else logger.info({ ...progressFields(now), recordsPerSecond: Math.round(perSecond) }, "running");
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    terminal.live("");
  }
}

/** The counts that a log line carries. */
export function progressFields(snapshot: InstanceSnapshot): Readonly<Record<string, number | undefined>> {
  const {
    received,
    written,
    duplicates,
    failed,
    skipped,
    deadLettered,
    abandoned,
    inFlight,
    writtenBytes,
    lagMs,
  } = snapshot;
  return {
    received,
    written,
    duplicates,
    failed,
    skipped,
    deadLettered,
    abandoned,
    inFlight,
    writtenBytes,
    lagMs,
  };
}

/** The live line. */
export function progressLine(snapshot: InstanceSnapshot, recordsPerSecond: number): string {
  const parts = [
    `${count(snapshot.written)} records`,
    `${count(Math.round(recordsPerSecond))}/s`,
    `lag ${snapshot.lagMs === undefined ? "unknown" : duration(snapshot.lagMs)}`,
    `${count(snapshot.inFlight)} in flight`,
  ];
  if (snapshot.failed > 0) parts.push(`${count(snapshot.failed)} failed`);
  return parts.join("  ");
}

function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, " ");
}

/** A length of time, in the unit that suits it. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
