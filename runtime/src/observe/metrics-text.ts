import { AggregatorRegistry } from "prom-client";
import type { MetricFamily } from "../supervise/instance-report.ts";

/** Metrics as Prometheus reads them, those of one name together, whichever instance they are of. */
export function metricsText(families: readonly MetricFamily[]): Promise<string> {
  const metrics = families.map(({ name, help, type, samples }) => ({
    name,
    help: help.endsWith(".") ? help : `${help}.`,
    type,
    values: samples,
    aggregator: "sum",
  }));
  return AggregatorRegistry.aggregate([metrics]).metrics();
}
