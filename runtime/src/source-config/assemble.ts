import { unwrapConfigs } from "@pulsar-ts-io/config";
import type { Fields } from "./field-reader.ts";
import { isSourceConfigField } from "./fields.ts";

/** A parsed text, and what to call it in errors. */
export interface Origin {
  readonly value: unknown;
  readonly origin: string;
}

/** Where a SourceConfig may come from. Later ones win, field by field. */
export interface SourceConfigParts {
  /** `--source-config-file`: a whole SourceConfig, or the connector's own config. */
  readonly file: Origin | undefined;
  /** `--source-config`: the connector's own config; wins over the file's, key by key. */
  readonly configs: Origin | undefined;
  /** Flags, by the names of the fields. */
  readonly flags: Fields;
}

/**
 * Puts a SourceConfig together: the file first, flags override it, field by field. `--source-config` overrides the file's `configs` key by
 * key at the top level; a nested mapping replaces the file's whole. pulsar-admin drops all of the file's `configs`. Nothing is checked but
 * the shape of the texts.
 *
 * @throws ConfigSyntaxError (`PIO_CONFIG_SYNTAX`) when a text is no mapping.
 */
export function assembleSourceConfig(parts: SourceConfigParts): Fields {
  const fields: Record<string, unknown> = { ...fromFile(parts.file), ...parts.flags };
  if (parts.configs !== undefined) {
    const below = fields["configs"];
    fields["configs"] = {
      ...(isMapping(below) ? below : {}),
      ...unwrapConfigs(parts.configs.value, parts.configs.origin),
    };
  }
  // A flag that names the connector replaces the file's, whichever of the two ways it used.
  if (parts.flags["archive"] !== undefined && parts.flags["sourceType"] === undefined)
    delete fields["sourceType"];
  if (parts.flags["sourceType"] !== undefined && parts.flags["archive"] === undefined)
    delete fields["archive"];
  return fields;
}

/** A file with a field of SourceConfig beside or without `configs` is one; `configs` alone may be either, and means the same. */
function fromFile(file: Origin | undefined): Fields {
  if (file === undefined) return {};
  const { value, origin } = file;
  if (isMapping(value) && Object.keys(value).some((key) => key !== "configs" && isSourceConfigField(key))) {
    return { ...value };
  }
  return { configs: unwrapConfigs(value, origin) };
}

function isMapping(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
