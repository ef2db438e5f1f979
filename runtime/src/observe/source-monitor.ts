import type { Clock, Logger } from "@pulsar-ts-io/core";
import type { InstanceReport, WatchedSource } from "../supervise/instance-report.ts";
import { History, sampleMs } from "./history.ts";
import { metricsText } from "./metrics-text.ts";
import { measuredFamilies, ownFamilies } from "./own-series.ts";
import { PulsarSeries } from "./pulsar-series.ts";
import type { SourceIdentity } from "./source-identity.ts";

const minuteMs = 60_000;

/** Watches a source for as long as it runs, and tells what it saw. */
export class SourceMonitor {
  readonly #source: WatchedSource;
  readonly #identity: SourceIdentity;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #series: PulsarSeries;
  readonly history: History = new History();

  constructor(
    source: WatchedSource,
    identity: SourceIdentity,
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  ) {
    this.#source = source;
    this.#identity = identity;
    this.#clock = clock;
    this.#logger = logger;
    this.#series = new PulsarSeries(identity, clock);
  }

  /** Looks every ten seconds until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#look();
    try {
      for (let ms = sampleMs; ; ms += sampleMs) {
        await this.#clock.sleep(sampleMs, signal);
        const reports = await this.#look();
        if (ms % minuteMs === 0 && reports !== undefined) this.#series.startMinute(reports);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Epoch milliseconds. */
  now(): number {
    return this.#clock.now();
  }

  reports(): Promise<readonly InstanceReport[]> {
    return this.#source.reports();
  }

  /** Everything that is measured, as Prometheus reads it. */
  async metrics(): Promise<string> {
    const reports = await this.reports();
    return await metricsText([
      ...this.#series.families(reports),
      ...ownFamilies(this.#identity, reports, this.now()),
      ...measuredFamilies(this.#identity, reports),
    ]);
  }

  /** `undefined`: it failed. */
  async #look(): Promise<readonly InstanceReport[] | undefined> {
    try {
      const reports = await this.reports();
      this.history.add(reports, this.#clock.now());
      return reports;
    } catch (error) {
      // Whoever only watches a source must not end it.
      this.#logger.debug({ err: error }, "source cannot be looked at");
      return undefined;
    }
  }
}
