import type { Counter, Gauge, Histogram, Labels } from "@pulsar-ts-io/core";
import { Summary } from "prom-client";
import type { MetricSample } from "../supervise/instance-report.ts";

/** One series of a metric: plain fields that an instrument changes, and samples for whoever asks. */
export interface Series {
  /** Whether it shows nothing, and may make room for another one. */
  readonly removed?: boolean;
  samples(name: string, labels: Labels): MetricSample[] | Promise<MetricSample[]>;
}

/** Whoever only counts must not end what it counts: amounts that cannot be are left out. */
export class CounterSeries implements Counter, Series {
  #value = 0;

  add(amount: number): void {
    if (amount > 0) this.#value += amount;
  }

  samples(_name: string, labels: Labels): MetricSample[] {
    return [{ labels, value: this.#value }];
  }
}

export class GaugeSeries implements Gauge, Series {
  /** `undefined`: it was removed. */
  #value: number | undefined = 0;

  set(value: number): void {
    this.#value = value;
  }

  remove(): void {
    this.#value = undefined;
  }

  get removed(): boolean {
    return this.#value === undefined;
  }

  samples(_name: string, labels: Labels): MetricSample[] {
    return this.#value === undefined ? [] : [{ labels, value: this.#value }];
  }
}

/** Upper bounds by the unit that a name ends with. */
const bounds = {
  seconds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  bytes: [64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304],
  count: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
} as const;

export class HistogramSeries implements Histogram, Series {
  readonly #bounds: readonly number[];
  /** Observations up to each bound and above the one before it; those above the last bound at the end. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(name: string) {
    this.#bounds = name.endsWith("_seconds")
      ? bounds.seconds
      : name.endsWith("_bytes")
        ? bounds.bytes
        : bounds.count;
    this.#counts = new Float64Array(this.#bounds.length + 1);
  }

  observe(value: number): void {
    if (Number.isNaN(value)) return;
    const bounds = this.#bounds;
    let index = 0;
    while (index < bounds.length && value > Number(bounds[index])) index += 1;
    this.#counts[index] = Number(this.#counts[index]) + 1;
    this.#sum += value;
  }

  samples(name: string, labels: Labels): MetricSample[] {
    let count = 0;
    const buckets = [...this.#counts].map((observed, index) => {
      count += observed;
      const le = this.#bounds[index] ?? "+Inf";
      return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}

/** Quantiles over the last ten minutes, as Java's client keeps them, and sum and count since the start. */
export class SummarySeries implements Histogram, Series {
  readonly #createdMs: number;
  readonly #summary: Summary;

  constructor(name: string, help: string, createdMs: number) {
    this.#createdMs = createdMs;
    this.#summary = new Summary({
      name,
      help,
      percentiles: [0.5, 0.9, 0.99, 0.999],
      maxAgeSeconds: 600,
      ageBuckets: 5,
      registers: [],
    });
  }

  observe(value: number): void {
    if (Number.isFinite(value)) this.#summary.observe(value);
  }

  async samples(name: string, labels: Labels): Promise<MetricSample[]> {
    const { values } = await this.#summary.get();
    return [
      ...values.map(({ metricName, labels: { quantile }, value }) => ({
        metricName,
        labels: quantile === undefined ? labels : { ...labels, quantile },
        value,
      })),
      { metricName: `${name}_created`, labels, value: this.#createdMs / 1_000 },
    ];
  }
}
