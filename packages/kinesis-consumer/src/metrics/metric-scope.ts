import type { Clock } from "@pulsar-ts-io/core";
import type { MetricAccumulator } from "./metric-accumulator.ts";
import type { MetricDimension, MetricsLevel, MetricUnit } from "./metric-sink.ts";

type DataLevel = Exclude<MetricsLevel, "NONE">;

export interface MetricScopeOptions {
  readonly clock: Clock;
  readonly level: MetricsLevel;
}

/** Measures under fixed dimensions, and leaves out what is more detailed than was asked for. */
export class MetricScope {
  readonly #accumulator: MetricAccumulator;
  readonly #options: MetricScopeOptions;
  readonly #place: { readonly key: string; readonly dimensions: readonly MetricDimension[] };

  constructor(
    accumulator: MetricAccumulator,
    dimensions: readonly MetricDimension[],
    options: MetricScopeOptions,
  ) {
    this.#accumulator = accumulator;
    this.#options = options;
    this.#place = { dimensions, key: `${dimensions.map(({ value }) => value).join("\n")}\n` };
  }

  add(name: string, value: number, unit: MetricUnit, level: DataLevel): void {
    const { level: wanted } = this.#options;
    if (wanted === "DETAILED" || wanted === level) this.#accumulator.add(this.#place, name, value, unit);
  }

  /** The clock that times are measured with, monotonic milliseconds. */
  nowMs(): number {
    return this.#options.clock.monotonic();
  }

  /** Notes that something took `ms`, and how it went. @param name KCL's prefix, empty for the operation itself. */
  ended(name: string, outcome: { readonly ms: number; readonly success: boolean }, level: DataLevel): void {
    const prefix = name === "" ? "" : `${name}.`;
    this.add(`${prefix}Success`, outcome.success ? 1 : 0, "Count", level);
    this.add(`${prefix}Time`, outcome.ms, "Milliseconds", level);
  }

  /** Runs `call` and notes its time and whether it succeeded: it did unless it throws, or its result says otherwise. */
  async measure<T>(
    name: string,
    level: DataLevel,
    call: () => Promise<T>,
    succeeded: (result: T) => boolean = () => true,
  ): Promise<T> {
    const startMs = this.nowMs();
    let success = false;
    try {
      const result = await call();
      success = succeeded(result);
      return result;
    } finally {
      this.ended(name, { ms: this.nowMs() - startMs, success }, level);
    }
  }
}
