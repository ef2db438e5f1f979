import type { MetricStatistics, PutMetric } from "./account-ledger.ts";
import type { OperationContext } from "./operation-context.ts";
import type { RequestFields } from "./request-fields.ts";
import { ServiceError } from "./service-error.ts";

/** AWS: of one call, and of one datum. */
const maxData = 1_000;
const maxDimensions = 30;

/**
 * Remembers what it is told; all of a call, or nothing.
 *
 * Of the ways to tell values it knows `Value` and `StatisticValues`.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
 */
export function putMetricData(context: OperationContext): unknown {
  const { fields, caller, ledger } = context;
  const namespace = fields.optionalString("Namespace") ?? "";
  if (namespace === "") throw missing("Namespace");
  if (!/^[^:]{1,255}$/.test(namespace) || namespace.startsWith("AWS/")) {
    throw invalid(`The value ${namespace} for parameter Namespace is invalid.`);
  }
  if (!fields.has("MetricData")) throw missing("MetricData");
  const data = fields.list("MetricData", maxData);
  ledger.addMetrics(data.map((datum) => readMetric(datum, namespace, caller.region)));
  return {};
}

function readMetric(datum: RequestFields, namespace: string, region: string): PutMetric {
  const name = datum.optionalString("MetricName") ?? "";
  if (name === "") throw missing("MetricData.MetricName");
  const dimensions = datum.has("Dimensions") ? datum.list("Dimensions", maxDimensions) : [];
  return {
    namespace,
    region,
    name,
    unit: datum.optionalString("Unit") ?? "None",
    dimensions: dimensions.map((one) => ({ name: one.string("Name"), value: one.string("Value") })),
    statistics: readStatistics(datum),
    timestampMs: datum.optionalTimestampMs("Timestamp"),
  };
}

function readStatistics(datum: RequestFields): MetricStatistics {
  const value = datum.optionalNumber("Value");
  const set = datum.optionalObject("StatisticValues");
  if ((value === undefined) === (set === undefined)) {
    throw new ServiceError(
      "InvalidParameterCombinationException",
      "A datum must have either Value or StatisticValues.",
    );
  }
  if (value !== undefined) return { min: value, max: value, sum: value, count: 1 };
  const number = (name: string) => {
    const part = set?.optionalNumber(name);
    if (part === undefined) throw missing(`MetricData.StatisticValues.${name}`);
    return part;
  };
  const statistics = {
    min: number("Minimum"),
    max: number("Maximum"),
    sum: number("Sum"),
    count: number("SampleCount"),
  };
  if (statistics.min > statistics.max) throw invalid("Minimum must not be greater than Maximum.");
  if (statistics.count <= 0) throw invalid("SampleCount must be greater than 0.");
  return statistics;
}

function missing(parameter: string): ServiceError {
  return new ServiceError("MissingRequiredParameterException", `The parameter ${parameter} is required.`);
}

function invalid(message: string): ServiceError {
  return new ServiceError("InvalidParameterValueException", message);
}
