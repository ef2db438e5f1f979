import type { InstanceReport } from "../supervise/instance-report.ts";

/** Between two samples. */
export const sampleMs = 10_000;
/** An hour of them. */
const kept = 360;

/** One moment: totals of all instances, from which the rates follow. */
export interface HistorySample {
  /** Epoch milliseconds. */
  readonly atMs: number;
  readonly received: number;
  readonly written: number;
  readonly writtenBytes: number;
  readonly exceptions: number;
  readonly inFlight: number;
  /** The largest; `null` when none is known. */
  readonly lagMs: number | null;
}

/** The last hour of a source, and how fast its partitions are read. */
export class History {
  readonly #samples: HistorySample[] = [];
  #partitions = new Map<string, { readonly count: number; readonly atMs: number; readonly rate?: number }>();

  get samples(): readonly HistorySample[] {
    return this.#samples;
  }

  add(reports: readonly InstanceReport[], atMs: number): void {
    const sum = (value: (counts: InstanceReport["counts"]) => number) =>
      reports.reduce((total, { counts }) => total + value(counts), 0);
    const lags = reports.flatMap(({ counts }) => (counts.lagMs === undefined ? [] : [counts.lagMs]));
    this.#samples.push({
      atMs,
      received: sum(({ received }) => received),
      written: sum(({ written }) => written),
      writtenBytes: sum(({ writtenBytes }) => writtenBytes),
      exceptions: sum(({ systemExceptions }) => systemExceptions),
      inFlight: sum(({ inFlight }) => inFlight),
      lagMs: lags.length === 0 ? null : Math.max(...lags),
    });
    if (this.#samples.length > kept) this.#samples.shift();
    this.#ratePartitions(reports, atMs);
  }

  /** Records a second between the last two samples; `undefined` when not known. */
  recordsPerSecond(instanceId: number, partition: string): number | undefined {
    return this.#partitions.get(key(instanceId, partition))?.rate;
  }

  #ratePartitions(reports: readonly InstanceReport[], atMs: number): void {
    const now = new Map<string, { count: number; atMs: number; rate?: number }>();
    for (const { instanceId, partitions } of reports) {
      for (const { id, received: count } of partitions) {
        if (count === undefined) continue;
        const before = this.#partitions.get(key(instanceId, id));
        // One that is counted anew was released and taken again.
        const known = before !== undefined && before.count <= count && before.atMs < atMs;
        const rate = known ? ((count - before.count) * 1_000) / (atMs - before.atMs) : undefined;
        now.set(key(instanceId, id), { count, atMs, ...(rate === undefined ? {} : { rate }) });
      }
    }
    this.#partitions = now;
  }
}

function key(instanceId: number, partition: string): string {
  return `${instanceId} ${partition}`;
}
