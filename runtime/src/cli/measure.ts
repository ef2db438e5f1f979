import { type Clock, type Meter, silentMeter } from "@pulsar-ts-io/core";
import { MetricRegistry } from "../observe/metric-registry.ts";
import { processMetrics } from "../observe/process-metrics.ts";
import type { MetricFamily } from "../supervise/instance-report.ts";

/** Where the parts of an instance measure, and what there is of it. */
export interface Measurements {
  readonly meter: Meter;
  readonly metrics: { families(): Promise<readonly MetricFamily[]> };
}

/** Measures an instance and the process it runs in from now on; nothing, when nobody looks. */
export function measure(measured: boolean, clock: Clock): Measurements {
  if (!measured) return { meter: silentMeter, metrics: { families: () => Promise.resolve([]) } };
  const meter = new MetricRegistry(clock);
  const ofProcess = processMetrics();
  const families = async () => [...(await meter.families()), ...(await ofProcess.families())];
  return { meter, metrics: { families } };
}
