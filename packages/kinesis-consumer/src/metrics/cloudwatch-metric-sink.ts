import { PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import type { CloudWatchService } from "../aws-clients.ts";
import { readAwsFailure, translateAwsFailure } from "../aws-failure.ts";
import type { MetricDatum, MetricSink } from "./metric-sink.ts";

/** CloudWatch. Nothing has a timestamp: it is the time of arrival, as with KCL. */
export class CloudWatchMetricSink implements MetricSink {
  /** PutMetricData takes 1 000 data and 1 MB: half of the one keeps well away from the other. KCL sends 20. */
  readonly maxBatch = 500;
  readonly #cloudwatch: CloudWatchService;
  readonly #namespace: string;

  /** @param namespace the application's name, as in KCL. */
  constructor(cloudwatch: CloudWatchService, namespace: string) {
    this.#cloudwatch = cloudwatch;
    this.#namespace = namespace;
  }

  async send(data: readonly MetricDatum[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const command = new PutMetricDataCommand({ Namespace: this.#namespace, MetricData: data.map(asDatum) });
    try {
      await this.#cloudwatch.call(command, signal);
    } catch (error) {
      signal.throwIfAborted();
      const failure = readAwsFailure(error);
      const where = await this.#cloudwatch.describe(failure);
      throw translateAwsFailure(failure, {
        service: "CloudWatch",
        operation: "PutMetricData",
        resource: `namespace "${this.#namespace}"`,
        ...where,
      });
    }
  }
}

function asDatum({ name, unit, dimensions, min, max, sum, count }: MetricDatum) {
  return {
    MetricName: name,
    Unit: unit,
    Dimensions: dimensions.map((dimension) => ({ Name: dimension.name, Value: dimension.value })),
    StatisticValues: { Minimum: min, Maximum: max, Sum: sum, SampleCount: count },
  };
}
