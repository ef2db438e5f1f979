/** What a scope keeps: NONE nothing, SUMMARY what is needed to watch an application, DETAILED each call of each shard too. */
export type MetricsLevel = "NONE" | "SUMMARY" | "DETAILED";

/** CloudWatch's words for them. */
export type MetricUnit = "Count" | "Bytes" | "Milliseconds";

export interface MetricDimension {
  readonly name: "Operation" | "ShardId" | "WorkerIdentifier";
  readonly value: string;
}

/** The values of one metric since the last flush, as CloudWatch's StatisticSet has them. */
interface MetricStatistics {
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly count: number;
}

export interface MetricDatum extends MetricStatistics {
  readonly name: string;
  readonly unit: MetricUnit;
  readonly dimensions: readonly MetricDimension[];
}

/** Where metrics go. */
export interface MetricSink {
  /** Most data that one {@link send} takes. */
  readonly maxBatch: number;
  /** One attempt. @throws a coded error: what it was given is lost. */
  send(data: readonly MetricDatum[], signal: AbortSignal): Promise<void>;
}
