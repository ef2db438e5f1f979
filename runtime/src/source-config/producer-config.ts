import {
  type AccessMode,
  type Compression,
  defaultPublisherOptions,
  type PublisherOptions,
} from "@pulsar-ts-io/pulsar";
import { readCryptoConfig } from "./crypto-config.ts";
import { FieldReader, type Fields } from "./field-reader.ts";
import { isUnset } from "./fields.ts";
import type { ProblemList } from "./problem-list.ts";
import { refuseUnknown } from "./unknown-fields.ts";

const compressions: readonly Compression[] = ["NONE", "LZ4", "ZLIB", "ZSTD", "SNAPPY"];
const batchBuilders = ["DEFAULT", "KEY_BASED"] as const;
type BatchBuilder = (typeof batchBuilders)[number];
const accessModes = { SHARED: "Shared", EXCLUSIVE: "Exclusive" } satisfies Record<string, AccessMode>;
const accessModeNames = ["SHARED", "EXCLUSIVE"] as const;

const known = [
  "maxPendingMessages",
  "maxPendingMessagesAcrossPartitions",
  "useThreadLocalProducers",
  "cryptoConfig",
  "batchBuilder",
  "compressionType",
  "batchingConfig",
  "accessMode",
  "sendTimeoutMs",
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
 * `accessMode` and `sendTimeoutMs` are the names of Java's producer: its SourceConfig has no place for them.
 *
 * @param batchBuilder the older spelling at the top of a SourceConfig; the more particular one outranks it.
 * @see ProducerBuilderFactory in apache/pulsar, PIP-401 for `batchingConfig`, and ProducerConfigurationData
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
  const top = new FieldReader({ batchBuilder }, "", problems).oneOf("batchBuilder", batchBuilders);
  const builder = fields.oneOf("batchBuilder", batchBuilders) ?? top;
  const encryption = readCryptoConfig(fields.mapping("cryptoConfig") ?? {}, problems);
  const accessMode = fields.oneOf("accessMode", accessModeNames);
  return {
    compression: fields.oneOf("compressionType", compressions) ?? defaults.compression,
    batching: readBatching(fields.mapping("batchingConfig") ?? {}, builder, problems),
    maxPendingMessages: pending.length === 0 ? defaults.maxPendingMessages : Math.min(...pending),
    maxPendingBytes: defaults.maxPendingBytes,
    accessMode: accessMode === undefined ? defaults.accessMode : accessModes[accessMode],
    sendTimeoutMs: fields.integer("sendTimeoutMs", 1) ?? defaults.sendTimeoutMs,
    ...(encryption === undefined ? {} : { encryption }),
  };
}

function readBatching(
  batchingConfig: Fields,
  outerBuilder: BatchBuilder | undefined,
  problems: ProblemList,
): PublisherOptions["batching"] {
  const prefix = "producerConfig.batchingConfig.";
  const fields = new FieldReader(batchingConfig, prefix, problems);
  refuseUnknown(batchingConfig, knownBatching, prefix, problems);
  const builder = fields.oneOf("batchBuilder", batchBuilders) ?? outerBuilder;
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
    byKey: builder === "KEY_BASED",
  };
}
