import os from "node:os";
import process from "node:process";
import { busyCpuSeconds, familyCpuSecondsSoFar } from "../harness/process-usage.ts";

/** What else the machine did while something was measured. */
export interface RoundLoad {
  /** Linux's load average of the last minute, at the start. It includes what the benchmark did just before. */
  readonly loadAverage: number;
  /** Cores that were busy with anything but the benchmark and the processes it started; time stolen by a hypervisor counts. */
  readonly otherCores: number;
}

export interface LoadVerdict {
  /** `quiet`: other work took at most a tenth of the machine in every measurement. */
  readonly machine: "quiet" | "busy";
  /** Of all measurements. */
  readonly otherCores: { readonly min: number; readonly max: number };
  /** Why the rounds are not compared; `null`: they are. */
  readonly refused: string | null;
  /** `--any-load` overrode a refusal. */
  readonly overridden: boolean;
}

/** Shares of all cores. A tenth of two cores costs a few per cent; two rounds that differ by a seventh differ by more than they should. */
const quietShare = 0.1;
const toleranceShare = 0.15;

/** Does `work`, and measures what other processes did meanwhile. Linux only. */
export async function underLoad<T>(
  work: () => Promise<T>,
): Promise<{ readonly load: RoundLoad; readonly result: T }> {
  const [loadAverage = 0] = os.loadavg();
  const before = await usage();
  const result = await work();
  const after = await usage();
  const seconds = (after.atMs - before.atMs) / 1_000;
  const others = after.machine - before.machine - (after.own - before.own);
  const otherCores = seconds > 0 ? Math.max(0, others / seconds) : 0;
  return { load: { loadAverage: round(loadAverage), otherCores: round(otherCores) }, result };
}

/** Rounds are compared when other work took about as much of the machine in each of them. */
export function judgeLoad(
  loads: readonly RoundLoad[],
  { cores, anyLoad }: { readonly cores: number; readonly anyLoad: boolean },
): LoadVerdict {
  const others = loads.map(({ otherCores }) => otherCores);
  const min = Math.min(...others, Number.POSITIVE_INFINITY);
  const max = Math.max(...others, 0);
  const otherCores = { min: Number.isFinite(min) ? min : 0, max };
  const machine = max <= quietShare * cores ? "quiet" : "busy";
  const tolerance = toleranceShare * cores;
  if (max - otherCores.min <= tolerance) return { machine, otherCores, refused: null, overridden: false };
  const range = `${otherCores.min.toFixed(2)} to ${max.toFixed(2)} of ${cores} cores`;
  const why = `other work took ${range}, and at most ${tolerance.toFixed(2)} may be between two rounds`;
  return { machine, otherCores, refused: anyLoad ? null : why, overridden: anyLoad };
}

async function usage() {
  const [machine, own] = await Promise.all([busyCpuSeconds(), familyCpuSecondsSoFar(process.pid)]);
  return { atMs: performance.now(), machine, own };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
