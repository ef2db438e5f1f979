import { hostname } from "node:os";
import type { Clock, Logger } from "@pulsar-ts-io/core";
import { Observation } from "../observe/observation.ts";
import { type ConfigForms, shownConfig } from "../observe/secret-mask.ts";
import type { SourceDescription } from "../observe/source-status.ts";
import type { WatchedSource } from "../supervise/instance-report.ts";
import type { Environment } from "./client-conf.ts";
import { type HttpFlags, httpAddress } from "./http-options.ts";
import type { RequestedSource } from "./requested-source.ts";
import { readVersion } from "./version.ts";

/** Java's local runner calls its cluster so. */
const cluster = "local";

/** What watches a run. */
export interface RunObserver extends AsyncDisposable {
  /** Whether anybody looks: else nothing need be measured. */
  readonly watches: boolean;
  /** Watches until `signal` aborts. */
  watch(source: WatchedSource, signal: AbortSignal): Promise<void>;
}

interface ObserveRunDeps {
  readonly topic: string;
  readonly env: Environment;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Takes the HTTP port, if one was asked for; without it nothing is measured.
 *
 * @throws HttpPortError (`PIO_HTTP_PORT`).
 */
export async function observeRun(
  requested: RequestedSource,
  flags: HttpFlags,
  { topic, env, ...host }: ObserveRunDeps,
): Promise<RunObserver> {
  const address = httpAddress(flags, env);
  if (address === undefined) return unobserved;
  const source = await describe(requested, topic, host.clock.now());
  const observation = await Observation.open(address, host);
  return {
    watches: true,
    watch: (watched, signal) => observation.watch(watched, { source, workerId: hostname(), cluster }, signal),
    [Symbol.asyncDispose]: () => observation[Symbol.asyncDispose](),
  };
}

const unobserved: RunObserver = {
  watches: false,
  watch: () => Promise.resolve(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

async function describe(
  requested: RequestedSource,
  topic: string,
  startTime: number,
): Promise<SourceDescription> {
  const { settings, connector } = requested;
  return {
    tenant: settings.tenant,
    namespace: settings.namespace,
    name: settings.name ?? connector.manifest.name,
    connector: connector.manifest.name,
    version: await readVersion(),
    topic,
    processingGuarantees: settings.guarantee,
    startTime,
    configs: shownConfig(configForms(requested)),
  };
}

function configForms({ config, settings, connector }: RequestedSource): ConfigForms {
  const complete = typeof config === "object" && config !== null ? { ...config } : {};
  return { config: complete, written: settings.configs, schema: connector.schema };
}
