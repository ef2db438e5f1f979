import { nearest } from "@pulsar-ts-io/config";
import { type Compression, defaultPublisherOptions, type PublisherOptions } from "@pulsar-ts-io/pulsar";
import { FieldReader, type Fields } from "./field-reader.ts";
import { isUnset } from "./fields.ts";
import type { ProblemList } from "./problem-list.ts";

const compressions: readonly Compression[] = ["NONE", "LZ4", "ZLIB", "ZSTD", "SNAPPY"];
const batchBuilders = ["DEFAULT", "KEY_BASED"] as const;

const known = [
  "maxPendingMessages",
  "maxPendingMessagesAcrossPartitions",
  "useThreadLocalProducers",
  "cryptoConfig",
  "batchBuilder",
  "compressionType",
  "batchingConfig",
];
const knownBatching = [
  "enabled",
  "batchingMaxPublishDelayMs",
  "roundRobinRouterBatchingPartitionSwitchFrequency",
  "batchingMaxMessages",
  "batchingMaxBytes",
  "batchBuilder",
];

/**
 * Pulsar's ProducerConfig as options of a publisher; Pulsar IO's defaults where it says nothing.
 *
 * `maxPendingMessages` and `maxPendingMessagesAcrossPartitions` bound the same window here, which spans all partitions: the smaller holds.
 *
 * @param batchBuilder the older spelling at the top of a SourceConfig.
 * @see ProducerBuilderFactory in apache/pulsar, and PIP-401 for `batchingConfig`
 */
export function readProducerConfig(
  producerConfig: Fields,
  batchBuilder: string | undefined,
  problems: ProblemList,
): Omit<PublisherOptions, "producerName" | "producerProperties"> {
  const fields = new FieldReader(producerConfig, "producerConfig.", problems);
  refuseUnknown(producerConfig, known, "producerConfig.", problems);
  const defaults = defaultPublisherOptions;
  const pending = [
    fields.integer("maxPendingMessages", 1),
    fields.integer("maxPendingMessagesAcrossPartitions", 1),
  ].filter((value) => value !== undefined);
  if (fields.boolean("useThreadLocalProducers") === true) {
    problems.warn("producerConfig.useThreadLocalProducers", "has no effect: an instance has one thread");
  }
  if (!isUnset(producerConfig["cryptoConfig"])) {
    problems.refuse(
      "producerConfig.cryptoConfig",
      "end-to-end encryption is not supported",
      "leave it out: messages would be published unencrypted",
    );
  }
  readBatchBuilder(fields, "producerConfig.batchBuilder", problems);
  readBatchBuilder(new FieldReader({ batchBuilder }, "", problems), "batchBuilder", problems);
  return {
    compression: fields.oneOf("compressionType", compressions) ?? defaults.compression,
    batching: readBatching(fields.mapping("batchingConfig") ?? {}, problems),
    maxPendingMessages: pending.length === 0 ? defaults.maxPendingMessages : Math.min(...pending),
    maxPendingBytes: defaults.maxPendingBytes,
    accessMode: defaults.accessMode,
    sendTimeoutMs: defaults.sendTimeoutMs,
  };
}

function readBatching(batchingConfig: Fields, problems: ProblemList): PublisherOptions["batching"] {
  const prefix = "producerConfig.batchingConfig.";
  const fields = new FieldReader(batchingConfig, prefix, problems);
  refuseUnknown(batchingConfig, knownBatching, prefix, problems);
  readBatchBuilder(fields, `${prefix}batchBuilder`, problems);
  if (!isUnset(batchingConfig["roundRobinRouterBatchingPartitionSwitchFrequency"])) {
    problems.warn(
      `${prefix}roundRobinRouterBatchingPartitionSwitchFrequency`,
      "has no effect: messages without a key are routed as Pulsar IO's own router does",
    );
  }
  const defaults = defaultPublisherOptions.batching;
  if (fields.boolean("enabled") === false || defaults === undefined) return undefined;
  return {
    maxDelayMs: fields.integer("batchingMaxPublishDelayMs", 1) ?? defaults.maxDelayMs,
    maxMessages: fields.integer("batchingMaxMessages", 1) ?? defaults.maxMessages,
    maxBytes: fields.integer("batchingMaxBytes", 1) ?? defaults.maxBytes,
  };
}

function readBatchBuilder(fields: FieldReader, path: string, problems: ProblemList): void {
  if (fields.oneOf("batchBuilder", batchBuilders) !== "KEY_BASED") return;
  problems.refuse(
    path,
    "batches by key are not supported yet",
    "leave it out, or switch batching off",
    "KEY_BASED",
  );
}

function refuseUnknown(
  fields: Fields,
  names: readonly string[],
  prefix: string,
  problems: ProblemList,
): void {
  for (const key of Object.keys(fields)) {
    if (names.includes(key)) continue;
    const near = nearest(key, names);
    const remedy = near === undefined ? `known are ${names.join(", ")}` : `did you mean ${near}?`;
    problems.refuse(`${prefix}${key}`, "is not a known setting", remedy);
  }
}
