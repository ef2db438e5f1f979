import type { ErrorObject } from "ajv";
import { checkMetaSchema } from "./generated/meta-schema-check.ts";

/** Where the addresses of JSON Schema's meta-schemas begin. */
export const metaSchemaOrigin = "https://json-schema.org/draft/2020-12/";

interface Check {
  (schema: unknown): boolean;
  readonly errors?: readonly ErrorObject[] | null;
}

/** What keeps `schema` from being a JSON Schema of 2020-12, in ajv's words; `undefined`: nothing. */
export function metaSchemaProblem(schema: unknown): string | undefined {
  const version = versionOf(schema);
  if (version !== undefined && typeof version !== "string") return "$schema must be a string";
  if (version !== undefined && version.replace(/#$/, "") !== `${metaSchemaOrigin}schema`) {
    return `no schema with key or ref "${version}"`;
  }
  const check: Check = checkMetaSchema;
  if (check(schema)) return undefined;
  const texts = (check.errors ?? []).map(({ instancePath, message }) => `data${instancePath} ${message}`);
  return `schema is invalid: ${texts.join(", ")}`;
}

function versionOf(schema: unknown): unknown {
  return typeof schema === "object" && schema !== null && "$schema" in schema ? schema.$schema : undefined;
}
