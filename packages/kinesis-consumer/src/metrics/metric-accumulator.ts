import { WakeUp } from "../wake-up.ts";
import type { MetricDatum, MetricDimension, MetricUnit } from "./metric-sink.ts";

/** KCL's: while nothing can be sent no more different metrics than these are kept. */
const maxSeries = 10_000;
/** So many are sent without waiting for the time to come. KCL's 200 would make a thousand shards cost a call for each few of their pages. */
const plenty = 5_000;

interface Series {
  readonly name: string;
  readonly unit: MetricUnit;
  readonly dimensions: readonly MetricDimension[];
  min: number;
  max: number;
  sum: number;
  count: number;
}

/** Merges what is measured by name and dimensions until someone takes it. No call of it waits or throws. */
export class MetricAccumulator {
  /** Woken when there is plenty to send. */
  readonly plenty: WakeUp = new WakeUp();
  #series = new Map<string, Series>();
  #dropped = 0;

  /** Metrics waiting to be taken. */
  get size(): number {
    return this.#series.size;
  }

  /** Values dropped since this was last asked, because too many different ones waited. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** @param key of the dimensions; equal for equal ones. */
  add(
    place: { readonly key: string; readonly dimensions: readonly MetricDimension[] },
    name: string,
    value: number,
    unit: MetricUnit,
  ): void {
    const key = place.key + name;
    const known = this.#series.get(key);
    if (known !== undefined) {
      known.min = Math.min(known.min, value);
      known.max = Math.max(known.max, value);
      known.sum += value;
      known.count += 1;
      return;
    }
    if (this.#series.size >= maxSeries) {
      this.#dropped += 1;
      return;
    }
    const { dimensions } = place;
    this.#series.set(key, { name, unit, dimensions, min: value, max: value, sum: value, count: 1 });
    if (this.#series.size === plenty) this.plenty.wake();
  }

  /** Everything that waits, which begins anew. */
  take(): readonly MetricDatum[] {
    const taken = [...this.#series.values()];
    this.#series = new Map();
    return taken;
  }
}
