import type { MetricDatum, MetricSink } from "../../src/metrics/metric-sink.ts";

/** Keeps what it is sent, and fails as a test says. */
export class MemoryMetricSink implements MetricSink {
  maxBatch = 500;
  readonly batches: (readonly MetricDatum[])[] = [];
  calls = 0;
  /** Runs before each batch is kept. */
  before: () => Promise<void> = () => Promise.resolve();

  async send(data: readonly MetricDatum[]): Promise<void> {
    this.calls += 1;
    await this.before();
    this.batches.push(data);
  }

  /** The names that came, with their dimensions and units: `ProcessTask[ShardId] RecordsProcessed Count`. */
  get kinds(): readonly string[] {
    return [...new Set(this.batches.flat().map(kindOf))].sort();
  }

  /** The sum of all values of one kind. */
  sum(kind: string): number {
    return this.batches
      .flat()
      .filter((datum) => kindOf(datum) === kind)
      .reduce((sum, datum) => sum + datum.sum, 0);
  }

  of(kind: string): readonly MetricDatum[] {
    return this.batches.flat().filter((datum) => kindOf(datum) === kind);
  }
}

function kindOf({ name, unit, dimensions }: MetricDatum): string {
  const [operation, ...others] = dimensions;
  const more = others.length === 0 ? "" : `[${others.map((one) => one.name).join()}]`;
  return `${operation?.value}${more} ${name} ${unit}`;
}
