import process from "node:process";
import { type StateStore, TroubleLog } from "@pulsar-ts-io/core";
import { Instance } from "../instance/instance.ts";
import type { InstanceOptions } from "../instance/instance-options.ts";
import { traced } from "../observe/traced-transport.ts";
import type { ConnectorPackage } from "../plugin/connector-package.ts";
import { loadSource } from "../plugin/load-source.ts";
import type { StatePlace } from "../state/open-state.ts";
import type { Attempt } from "../supervise/attempt.ts";
import type { MetricFamily } from "../supervise/instance-report.ts";
import { OwnAttempt } from "../supervise/own-attempt.ts";
import type { WatchLimits } from "../supervise/watch-attempt.ts";
import { createDeduplication, type DeduplicationFlags } from "./deduplication.ts";
import { type LogHost, type LogJob, openInstanceLog } from "./instance-log.ts";
import { createTransport } from "./transport.ts";

/** All that it takes to run an instance: plain data, for it may travel to another process. Holds secrets. */
export interface InstanceJob extends LogJob {
  readonly connector: ConnectorPackage;
  /** The connector's config, complete. */
  readonly config: unknown;
  readonly instance: Omit<
    InstanceOptions,
    "clock" | "logger" | "meter" | "troubles" | "deduplication" | "state"
  >;
  readonly destination: DeduplicationFlags;
  /** Whether anybody will look at what is measured. */
  readonly measured: boolean;
  readonly limits: WatchLimits;
  readonly state: StatePlace;
}

export interface JobHost extends LogHost {
  /** What `meter` has measured so far. */
  readonly metrics: { families(): Promise<readonly MetricFamily[]> };
  readonly state: StateStore;
}

/**
 * Makes one start of the instance in this process, with a source and a transport of its own.
 *
 * @throws the errors of {@link createDeduplication}, {@link loadSource} and of {@link createTransport}.
 */
export async function openAttempt(job: InstanceJob, host: JobHost, signal: AbortSignal): Promise<Attempt> {
  const { destination, broker } = job;
  const deduplication = createDeduplication(job.instance.guarantee, destination, broker, host);
  const source = await loadSource(job.connector, { signal });
  const { clock, meter, metrics, state } = host;
  const log = openInstanceLog(job, host);
  const { logger } = log;
  const troubles = new TroubleLog({ clock, logger });
  const transport = traced(await createTransport(destination, broker, { ...host, troubles }));
  const parts = { clock, logger, meter, troubles, deduplication, state };
  const instance = new Instance(source, transport, { ...job.instance, ...parts });
  const { limits } = job;
  const attempt = new OwnAttempt(instance, job.config, { limits, clock, logger, residentBytes, metrics });
  return {
    run: (signal) => log.around(() => attempt.run(signal)),
    view: () => attempt.view(),
    metrics: () => attempt.metrics(),
  };
}

function residentBytes(): number {
  return process.memoryUsage.rss();
}
