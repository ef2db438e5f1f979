import type { Clock } from "@pulsar-ts-io/core";
import { renewIntervalMs } from "../lease/lease-coordinator.ts";
import type { ConsumerMetrics } from "./consumer-metrics.ts";
import type { MetricScope } from "./metric-scope.ts";

/** Counts the leases that are held and those that were lost, as often as KCL renews them. */
export class HeldLeasesMetric {
  readonly #scope: MetricScope;
  readonly #clock: Clock;
  readonly #everyMs: number;
  #lost = 0;

  constructor(metrics: ConsumerMetrics, options: { readonly clock: Clock; readonly failoverMs: number }) {
    this.#scope = metrics.ofWorker("RenewAllLeases");
    this.#clock = options.clock;
    this.#everyMs = renewIntervalMs(options.failoverMs);
  }

  lost(): void {
    this.#lost += 1;
  }

  /** Counts until `signal` aborts. */
  async run(held: () => number, signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#clock.sleep(this.#everyMs, signal);
      this.#scope.add("CurrentLeases", held(), "Count", "SUMMARY");
      this.#scope.add("LostLeases", this.#lost, "Count", "SUMMARY");
      this.#lost = 0;
    }
  }
}
