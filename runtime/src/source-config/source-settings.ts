import { nearest } from "@pulsar-ts-io/config";
import type { Guarantee } from "@pulsar-ts-io/core";
import { defaultPublisherOptions, type PublisherOptions } from "@pulsar-ts-io/pulsar";
import type { SecretEntry } from "../secrets/secrets-provider.ts";
import { FieldReader, type Fields } from "./field-reader.ts";
import { isUnset, sourceConfigFieldNames, sourceConfigFields } from "./fields.ts";
import type { ProblemList } from "./problem-list.ts";
import { readProducerConfig } from "./producer-config.ts";
import { readRuntimeOptions } from "./runtime-options.ts";

/** A SourceConfig as this runtime uses it: checked, complete, with our names. */
export interface SourceSettings {
  readonly tenant: string;
  /** Without its tenant. */
  readonly namespace: string;
  /** `undefined`: the connector's own name. */
  readonly name: string | undefined;
  /** As given. `undefined`: each record must name its destination. */
  readonly topic: string | undefined;
  readonly sourceType: string | undefined;
  readonly archive: string | undefined;
  /** Where its log goes beside standard error; `undefined`: nowhere. */
  readonly logTopic: string | undefined;
  /** Instances of the source, on all machines together; at least 1. `undefined`: not given. */
  readonly parallelism: number | undefined;
  readonly guarantee: Guarantee;
  /** How topics are published to; the producer's name and properties are the instance's. */
  readonly publisher: PublisherOptions;
  readonly secrets: Readonly<Record<string, SecretEntry>>;
  /** Options of `run` that Pulsar has no field for, as written. */
  readonly runtimeOptions: Fields;
  /** The connector's own config, as written: references not yet resolved. */
  readonly configs: Readonly<Record<string, unknown>>;
}

const guarantees = ["ATLEAST_ONCE", "ATMOST_ONCE", "EFFECTIVELY_ONCE", "MANUAL"] as const;

/**
 * Checks a SourceConfig, whoever wrote it: a file, flags, both.
 *
 * Empty texts, zeros and empty mappings count as not set: that is how other clients of Pulsar send them.
 * All problems go to `problems`; the result is of use only if there are none.
 */
export function readSourceConfig(sourceConfig: Fields, problems: ProblemList): SourceSettings {
  checkFields(sourceConfig, problems);
  const fields = new FieldReader(sourceConfig, "", problems);
  checkSchemaType(fields, problems);
  const sourceType = fields.text("sourceType");
  const archive = fields.text("archive");
  if (sourceType !== undefined && archive !== undefined) {
    problems.refuse("archive", "cannot specify both archive and source-type", "keep one of the two");
  }
  const topic = fields.text("topicName");
  const guarantee = fields.oneOf("processingGuarantees", guarantees) ?? "ATLEAST_ONCE";
  const publisher = {
    ...defaultPublisherOptions,
    ...readProducerConfig(fields.mapping("producerConfig") ?? {}, fields.text("batchBuilder"), problems),
  };
  if (guarantee === "EFFECTIVELY_ONCE") checkEffectivelyOnce(topic, publisher, problems);
  return {
    tenant: pathPart(fields, "tenant", problems) ?? "public",
    namespace: pathPart(fields, "namespace", problems) ?? "default",
    name: pathPart(fields, "name", problems),
    topic,
    sourceType,
    archive,
    logTopic: fields.text("logTopic"),
    parallelism: fields.integer("parallelism", 1),
    guarantee,
    publisher,
    secrets: readSecrets(fields.mapping("secrets") ?? {}, problems),
    runtimeOptions: readRuntimeOptions(sourceConfig["customRuntimeOptions"], problems),
    configs: fields.mapping("configs") ?? {},
  };
}

function checkFields(sourceConfig: Fields, problems: ProblemList): void {
  for (const [key, value] of Object.entries(sourceConfig)) {
    const treatment = sourceConfigFields[key];
    if (treatment === undefined) {
      const near = nearest(key, sourceConfigFieldNames);
      const remedy =
        near === undefined ? "settings of the connector belong below configs" : `did you mean ${near}?`;
      problems.refuse(key, "is no field of a SourceConfig", remedy);
      continue;
    }
    if (treatment.kind === "honoured" || isUnset(value)) continue;
    if (treatment.kind === "unused") problems.warn(key, `has no effect: ${treatment.why}`);
    else problems.refuse(key, treatment.why, treatment.remedy);
  }
}

/** Bytes have no schema: Java's worker refuses even the word. Anything else would promise what is not checked. */
function checkSchemaType(fields: FieldReader, problems: ProblemList): void {
  const schemaType = fields.text("schemaType");
  if (schemaType === undefined || ["BYTES", "NONE"].includes(schemaType.toUpperCase())) return;
  problems.refuse(
    "schemaType",
    "records are published as bytes, without a schema",
    "leave it out, or say bytes",
    schemaType,
  );
}

/** What effectively-once needs: producers that share the topic, and ids that rise from each message to the next. */
function checkEffectivelyOnce(
  topic: string | undefined,
  publisher: PublisherOptions,
  problems: ProblemList,
): void {
  if (publisher.batching?.byKey === true) {
    problems.refuse(
      "batchBuilder",
      "batches by key cannot be told apart when they are repeated, and EFFECTIVELY_ONCE needs that",
      "leave it out, or say DEFAULT",
      "KEY_BASED",
    );
  }
  if (publisher.accessMode === "Exclusive") {
    problems.refuse(
      "producerConfig.accessMode",
      "EFFECTIVELY_ONCE has a producer for each partition of the source, and an exclusive one admits no other",
      "leave it out, or say SHARED",
      "EXCLUSIVE",
    );
  }
  if (topic?.startsWith("non-persistent:") === true) {
    problems.refuse(
      "topicName",
      "a topic that is not persistent does not deduplicate, and EFFECTIVELY_ONCE needs it",
      "publish to a persistent topic",
      topic,
    );
  }
}

/** A part of a topic's or an instance's full name. */
function pathPart(fields: FieldReader, name: string, problems: ProblemList): string | undefined {
  const value = fields.text(name);
  if (value === undefined || /^[-=:.\w]+$/.test(value)) return value;
  problems.refuse(name, "may hold letters, digits and - _ = : . only", "use another name", value);
  return undefined;
}

function readSecrets(secrets: Fields, problems: ProblemList): Record<string, SecretEntry> {
  const entries: Record<string, SecretEntry> = {};
  for (const [name, value] of Object.entries(secrets)) {
    const entry = toSecretEntry(value);
    if (entry !== undefined) entries[name] = entry;
    else {
      problems.refuse(
        `secrets.${name}`,
        "must be a text, or a mapping of path and key",
        "write the secret's text or a reference to it, or path and key for a secrets provider",
      );
    }
  }
  return entries;
}

function toSecretEntry(value: unknown): SecretEntry | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || Object.keys(value).length !== 2) return undefined;
  if (!("path" in value && "key" in value)) return undefined;
  const { path, key } = value;
  return typeof path === "string" && typeof key === "string" ? { path, key } : undefined;
}
