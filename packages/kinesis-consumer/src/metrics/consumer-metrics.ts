import type { Clock, Logger, Troubles } from "@pulsar-ts-io/core";
import { MetricAccumulator } from "./metric-accumulator.ts";
import { MetricPublisher } from "./metric-publisher.ts";
import { MetricScope } from "./metric-scope.ts";
import type { MetricDimension, MetricSink, MetricsLevel } from "./metric-sink.ts";

export interface ConsumerMetricsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly troubles: Troubles;
  readonly level: MetricsLevel;
  /** A name that stays the same over restarts, so that dashboards keep their series. */
  readonly workerIdentifier: string;
}

/** All metrics of one consumer: the scopes that measure and the publishing of what they measure. */
export class ConsumerMetrics {
  readonly #options: ConsumerMetricsOptions;
  readonly #accumulator = new MetricAccumulator();
  readonly #publisher: MetricPublisher | undefined;

  /** @param sink absent: nothing is measured. */
  constructor(sink: MetricSink | undefined, options: ConsumerMetricsOptions) {
    const on = sink !== undefined && options.level !== "NONE";
    this.#options = on ? options : { ...options, level: "NONE" };
    this.#publisher = on ? new MetricPublisher(sink, this.#accumulator, options) : undefined;
  }

  /** @param operation KCL's name of what is measured. */
  ofOperation(operation: string): MetricScope {
    return this.#scope([{ name: "Operation", value: operation }]);
  }

  ofShard(operation: string, shardId: string): MetricScope {
    return this.#scope([
      { name: "Operation", value: operation },
      { name: "ShardId", value: shardId },
    ]);
  }

  ofWorker(operation: string): MetricScope {
    return this.#scope([
      { name: "Operation", value: operation },
      { name: "WorkerIdentifier", value: this.#options.workerIdentifier },
    ]);
  }

  /** Publishes until `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#publisher?.run(signal);
  }

  /** Sends what is left, for a second at most. Never rejects. */
  async finish(signal: AbortSignal): Promise<void> {
    await this.#publisher?.finish(signal);
  }

  #scope(dimensions: readonly MetricDimension[]): MetricScope {
    return new MetricScope(this.#accumulator, dimensions, this.#options);
  }
}
