/**
 * What becomes of each field of Pulsar's SourceConfig here. None is ignored in silence.
 *
 * `honoured`: it does what it does in Pulsar. `unused`: accepted, with a warning that says why it has no effect.
 * `refused`: what it asks for would not happen, and that would matter.
 */
export type FieldTreatment =
  | { readonly kind: "honoured" }
  | { readonly kind: "unused"; readonly why: string }
  | { readonly kind: "refused"; readonly why: string; readonly remedy: string };

const honoured: FieldTreatment = { kind: "honoured" };

/** The fields of `org.apache.pulsar.common.io.SourceConfig`, 4.0.7. */
export const sourceConfigFields: Readonly<Record<string, FieldTreatment>> = {
  tenant: honoured,
  namespace: honoured,
  name: honoured,
  topicName: honoured,
  producerConfig: honoured,
  batchBuilder: honoured,
  configs: honoured,
  secrets: honoured,
  parallelism: honoured,
  processingGuarantees: honoured,
  sourceType: honoured,
  archive: honoured,
  schemaType: honoured,
  className: { kind: "unused", why: "the class is the one that the connector's manifest names" },
  resources: { kind: "unused", why: "limit the process or its container instead" },
  runtimeFlags: { kind: "unused", why: "flags of a Java machine mean nothing here; use NODE_OPTIONS" },
  customRuntimeOptions: honoured,
  logTopic: honoured,
  serdeClassName: {
    kind: "refused",
    why: "a Java class cannot serialise here",
    remedy: "leave it out: records are published byte for byte",
  },
  batchSourceConfig: {
    kind: "refused",
    why: "batch sources are not supported",
    remedy: "leave it out",
  },
};

/** Whether a file with this key is a whole SourceConfig, rather than a connector's own config. */
export function isSourceConfigField(key: string): boolean {
  return Object.hasOwn(sourceConfigFields, key);
}

/** The fields a SourceConfig may have. */
export const sourceConfigFieldNames: readonly string[] = Object.keys(sourceConfigFields);

/** Whether a value says nothing: what Terraform and Go clients send for a field that was not set. */
export function isUnset(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.every(isUnset);
  return typeof value === "object" && Object.values(value).every(isUnset);
}
