import { hostname } from "node:os";
import { parseTopicName } from "@pulsar-ts-io/pulsar";
import type { EarlierProducer } from "../instance/producer-names.ts";
import type { RefusalPolicy } from "../instance/refusal-policy.ts";
import type { LogFormat, LogLevel } from "../logging/log-options.ts";
import type { StatePlace } from "../state/open-state.ts";
import type { BrokerFlags, BrokerSettings } from "./broker-settings.ts";
import type { DeduplicationFlags } from "./deduplication.ts";
import type { HttpFlags } from "./http-options.ts";
import type { InstanceJob } from "./instance-job.ts";
import { instanceNumbers } from "./instance-numbers.ts";
import type { RefusalFlags } from "./refusal-options.ts";
import type { RequestedSource } from "./requested-source.ts";
import { type LogSettings, sensitiveNames } from "./source-logger.ts";
import type { Output } from "./transport.ts";
import { UsageError } from "./usage-error.ts";

/** The flags of `run` that are not part of a SourceConfig. */
export interface RunFlags extends BrokerFlags, DeduplicationFlags, HttpFlags, RefusalFlags {
  readonly logLevel: LogLevel;
  readonly logFormat?: LogFormat | undefined;
  /** Absent: all of them. */
  readonly instanceId?: number | undefined;
  /** The number of the first of them; default 0. */
  readonly instanceIdOffset?: number | undefined;
  /** How long a stop waits for receipts, milliseconds. */
  readonly drainTimeout: number;
  /** How long a first start is retried, milliseconds; 0: it is not. */
  readonly startTimeout: number;
  readonly maxRestarts?: number | undefined;
  readonly earlierProducerNames?: EarlierProducer | undefined;
  /** How long nothing may move although there is something to move, milliseconds. */
  readonly stallTimeout: number;
  /** Bytes that the process of an instance may have resident. */
  readonly maxMemory?: number | undefined;
  readonly stateStore: StatePlace;
  /** How many records to show instead of running; `true`: as many as are usual. */
  readonly dryRun?: number | true | undefined;
  /** Whether those are shown as JSON. */
  readonly json?: boolean | undefined;
}

/** What the instances of a run have in common besides their source. */
interface RunParts {
  readonly topic: string;
  readonly onRefused: RefusalPolicy;
  readonly broker: BrokerSettings;
  readonly measured: boolean;
  /** Texts that no log shows. */
  readonly hidden: readonly string[];
}

interface InstancePart extends Pick<RunParts, "topic" | "onRefused"> {
  readonly instanceId: number;
  readonly numInstances: number;
}

/** The instances that run here: all of them, or the one that the user names. */
export function instanceJobs(
  requested: RequestedSource,
  flags: RunFlags,
  { topic, onRefused, broker, measured, hidden }: RunParts,
): readonly InstanceJob[] {
  const { connector, config } = requested;
  const limits = { stallTimeoutMs: flags.stallTimeout, maxMemoryBytes: flags.maxMemory };
  const { ids, count: numInstances } = instanceNumbers(requested, flags);
  return ids.map((instanceId) => ({
    connector,
    config,
    instance: instanceOptions(requested, flags, { topic, onRefused, instanceId, numInstances }),
    destination: destinationOf(flags),
    broker,
    log: logSettings(requested, flags, instanceId),
    measured,
    limits,
    state: flags.stateStore,
    logTopic: requested.settings.logTopic,
    secrets: hidden,
  }));
}

/** Of all the flags only these: the others would travel with them. */
function destinationOf({ output, pulsarTransport, assumeDeduplication }: RunFlags): DeduplicationFlags {
  return { output, pulsarTransport, assumeDeduplication };
}

/** @throws UsageError (`PIO_USAGE`) when records would go nowhere; InvalidTopicNameError. */
export function topicOf(requested: RequestedSource, output: Output): string {
  const { topic, logTopic } = requested.settings;
  if (logTopic !== undefined) parseTopicName(logTopic);
  if (topic !== undefined) {
    parseTopicName(topic); // a name that cannot be one is the user's mistake, not Pulsar's refusal
    return topic;
  }
  if (output === "console") return "console";
  throw new UsageError("no destination topic is given", {
    remedy:
      "name the topic to publish to with --destination-topic-name, or show records with --output console",
  });
}

function instanceOptions(
  { settings, connector, secrets }: RequestedSource,
  flags: RunFlags,
  { topic, onRefused, instanceId, numInstances }: InstancePart,
): InstanceJob["instance"] {
  const { drainTimeout } = flags;
  const { tenant, namespace, guarantee } = settings;
  const name = settings.name ?? connector.manifest.name;
  return {
    tenant,
    namespace,
    name,
    instanceId,
    numInstances,
    topic,
    guarantee,
    partitionIds: connector.manifest.partitionIds,
    earlierProducer: flags.earlierProducerNames,
    secrets,
    onRefused,
    drainTimeoutMs: drainTimeout,
    publisher: {
      ...settings.publisher,
      // Java's names: topic stats and dashboards show them.
      producerProperties: {
        application: "pulsar-source",
        id: `${tenant}/${namespace}/${name}`,
        instance_id: String(instanceId),
        instance_hostname: hostname(),
      },
    },
  };
}

export function logSettings(
  { connector, settings }: RequestedSource,
  flags: RunFlags,
  instanceId: number | undefined,
): LogSettings {
  const { tenant, namespace, name = connector.manifest.name } = settings;
  return {
    level: flags.logLevel,
    sensitive: sensitiveNames(connector),
    fields: {
      source: `${tenant}/${namespace}/${name}`,
      ...(instanceId === undefined ? {} : { instanceId }),
    },
  };
}
