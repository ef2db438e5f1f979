import { collectDefaultMetrics, Registry } from "prom-client";
import type { MetricFamily } from "../supervise/instance-report.ts";

/** What there is to know of this process: CPU, memory, event loop, garbage collection. It measures from now on. */
export function processMetrics(): { families(): Promise<readonly MetricFamily[]> } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    families: async () => {
      const metrics = await registry.getMetricsAsJSON();
      return metrics.flatMap((metric) => (isFamily(metric) ? [toFamily(metric)] : []));
    },
  };
}

/** A metric as the library gives it; its own type tells less than there is. */
interface LibraryFamily extends Omit<MetricFamily, "samples"> {
  readonly values: MetricFamily["samples"];
}

function isFamily(metric: object): metric is LibraryFamily {
  return "name" in metric && "help" in metric && "values" in metric && Array.isArray(metric.values);
}

function toFamily({ name, help, type, values }: LibraryFamily): MetricFamily {
  return { name, help, type, samples: values };
}
