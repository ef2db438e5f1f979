import { allowedText } from "./allowed.ts";
import { coerce } from "./coerce.ts";
import { itemPath, memberPath } from "./config-path.ts";
import type { Findings } from "./findings.ts";
import type { JsonSchema } from "./json-schema.ts";
import { isMapping } from "./mapping.ts";
import { nearest } from "./suggest.ts";

/** Spellings that people use, by path, with the path they mean and why. */
export type Meant = ReadonlyMap<string, { readonly path: string; readonly because: string }>;

/** Copies the settings a schema knows, coerced and with defaults, and reports the rest. */
export class SettingsReader {
  readonly #findings: Findings;
  readonly #meant: Meant;

  constructor(findings: Findings, meant: Meant) {
    this.#findings = findings;
    this.#meant = meant;
  }

  /** @param path where `settings` stand; what is in them is sensitive when `sensitive` says so. */
  read(
    settings: Readonly<Record<string, unknown>>,
    schema: JsonSchema,
    path: string,
    sensitive: boolean,
  ): Record<string, unknown> {
    const known = schema.properties ?? {};
    const result: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(settings)) {
      const property = Object.hasOwn(known, key) ? known[key] : undefined;
      if (property !== undefined)
        this.#setting(result, key, value, property, memberPath(path, key), sensitive);
      else this.#unknown(result, key, value, schema, path, sensitive);
    }
    for (const [key, property] of Object.entries(known)) {
      if (!Object.hasOwn(result, key) && property.default !== undefined) {
        result[key] = structuredClone(property.default);
      }
    }
    return result;
  }

  #setting(
    result: Record<string, unknown>,
    key: string,
    value: unknown,
    schema: JsonSchema,
    path: string,
    parentSensitive: boolean,
  ): void {
    const sensitive = parentSensitive || schema["x-sensitive"] === true;
    const coerced = coerce(value, schema);
    if (coerced.kind === "unset") return;
    if (coerced.kind === "problem") {
      const { message, remedy } = coerced;
      this.#findings.add({ path, value: this.#findings.shown(path, value, sensitive), message, remedy });
      result[key] = value; // kept, so that nobody says it is missing
      return;
    }
    result[key] = this.#inside(coerced.value, schema, path, sensitive);
    this.#listItems(coerced.value, schema, path, sensitive);
  }

  #inside(value: unknown, schema: JsonSchema, path: string, sensitive: boolean): unknown {
    if (isMapping(value) && schema.properties !== undefined) return this.read(value, schema, path, sensitive);
    const { items } = schema;
    if (!Array.isArray(value) || items === undefined) return value;
    return value.map((item: unknown, index) => {
      const coerced = coerce(item, items);
      const itemValue = coerced.kind === "value" ? coerced.value : item;
      return this.#inside(itemValue, items, itemPath(path, index), sensitive);
    });
  }

  #unknown(
    result: Record<string, unknown>,
    key: string,
    value: unknown,
    schema: JsonSchema,
    path: string,
    sensitive: boolean,
  ): void {
    if (schema.additionalProperties !== undefined && schema.additionalProperties !== false) {
      result[key] = value;
      return;
    }
    const keyPath = memberPath(path, key);
    const known = Object.keys(schema.properties ?? {});
    const meant = this.#meant.get(keyPath);
    const suggestion = meant === undefined ? nearest(key, known) : meant.path;
    if (suggestion !== undefined) this.#findings.expect(meant?.path ?? memberPath(path, suggestion));
    // Someone may have put the secret where the name belongs: only a name that is nearly right is repeated.
    if (sensitive && suggestion === undefined) {
      this.#findings.add({ path, message: "holds a setting that is not known", remedy: oneOf(known) });
      return;
    }
    const message =
      meant === undefined ? "is not a known setting" : `is not a known setting: ${meant.because}`;
    const remedy = suggestion === undefined ? oneOf(known) : `did you mean ${lastName(suggestion)}?`;
    this.#findings.add({ path: keyPath, message, remedy });
  }

  #listItems(value: unknown, schema: JsonSchema, path: string, sensitive: boolean): void {
    const allowed = schema["x-list-of"];
    if (allowed === undefined || typeof value !== "string") return;
    const hidden = sensitive || this.#findings.isReference(path);
    const wrong = listItems(value).find((item) => !allowed.includes(item));
    if (wrong === undefined) return;
    const suggestion = hidden ? undefined : nearest(wrong, allowed);
    this.#findings.add({
      path,
      value: this.#findings.shown(path, wrong, sensitive),
      message: `must be ${allowedText(schema) ?? "a list"}`,
      ...(suggestion === undefined ? {} : { remedy: `did you mean ${suggestion}?` }),
    });
  }
}

/** The items of a comma-separated list, trimmed, without empty ones. */
function listItems(text: string): readonly string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function oneOf(names: readonly string[]): string {
  return `known are ${names.join(", ")}`;
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}
