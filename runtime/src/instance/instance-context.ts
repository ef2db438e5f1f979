import type {
  Clock,
  Guarantee,
  Histogram,
  Logger,
  Meter,
  SourceContext,
  StateStore,
  Troubles,
} from "@pulsar-ts-io/core";
import type { InstanceOptions } from "./instance-options.ts";

/** What the instance adds to its options for the source to see. */
export interface ContextHost {
  /** Aborted when reading shall stop. */
  readonly signal: AbortSignal;
  fatal(error: Error): void;
  /** Closes what publishes one partition. */
  release(partitionId: string): Promise<void>;
}

/** What a source sees of its instance. */
export class InstanceContext implements SourceContext {
  readonly signal: AbortSignal;
  readonly tenant: string;
  readonly namespace: string;
  readonly sourceName: string;
  readonly instanceId: number;
  readonly numInstances: number;
  readonly outputTopic: string;
  readonly guarantee: Guarantee;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly state: StateStore;
  readonly troubles: Troubles;
  readonly #host: ContextHost;
  readonly #secrets: ReadonlyMap<string, string>;
  /** By name: a connector may measure each record. */
  readonly #metrics = new Map<string, Histogram>();

  constructor(options: InstanceOptions, host: ContextHost) {
    this.#host = host;
    this.#secrets = options.secrets;
    this.signal = host.signal;
    this.tenant = options.tenant;
    this.namespace = options.namespace;
    this.sourceName = options.name;
    this.instanceId = options.instanceId;
    this.numInstances = options.numInstances;
    this.outputTopic = options.topic ?? "";
    this.guarantee = options.guarantee;
    this.clock = options.clock;
    this.logger = options.logger;
    this.meter = options.meter;
    this.state = options.state;
    this.troubles = options.troubles;
  }

  secret(name: string): string | undefined {
    return this.#secrets.get(name);
  }

  recordMetric(name: string, value: number): void {
    let metric = this.#metrics.get(name);
    if (metric === undefined) {
      metric = this.meter.summary("pulsar_source_user_metric_", "Metrics of the connector's own", {
        metric: name,
      });
      this.#metrics.set(name, metric);
    }
    metric.observe(value);
  }

  releasePartition(partitionId: string): Promise<void> {
    return this.#host.release(partitionId);
  }

  fatal(error: Error): void {
    this.#host.fatal(error);
  }
}
