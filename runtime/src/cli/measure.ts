import { type Clock, type Meter, silentMeter } from "@pulsar-ts-io/core";
import { MetricRegistry } from "../observe/metric-registry.ts";
import { processMetrics } from "../observe/process-metrics.ts";
import type { MetricFamily } from "../supervise/instance-report.ts";

/** Where the parts of an instance measure, and what there is of it. */
export interface Measurements {
  readonly meter: Meter;
  readonly metrics: { families(): Promise<readonly MetricFamily[]> };
}

/**
 * Measures an instance and the process it runs in from now on; nothing, when nobody looks.
 *
 * @param maxMemoryBytes what the process may have resident; `undefined`: as much as there is.
 */
export function measure(measured: boolean, clock: Clock, maxMemoryBytes: number | undefined): Measurements {
  if (!measured) return { meter: silentMeter, metrics: { families: () => Promise.resolve([]) } };
  const meter = new MetricRegistry(clock);
  if (maxMemoryBytes !== undefined) {
    const help =
      "Memory that the process of the instance may have resident before it is restarted (--max-memory)";
    meter.gauge("pulsar_ts_io_max_memory_bytes", help).set(maxMemoryBytes);
  }
  const ofProcess = processMetrics();
  const families = async () => [...(await meter.families()), ...(await ofProcess.families())];
  return { meter, metrics: { families } };
}
