import type { JsonSchema } from "./json-schema.ts";

/**
 * What a property may be, to follow "must be": `one of A, B`, `1 to 10000`, `an http or https URL`.
 *
 * @returns `undefined` when its type says it all.
 */
export function allowedText(schema: JsonSchema): string | undefined {
  const written = schema["x-allowed"];
  if (typeof written === "string") return written;
  if (schema.enum !== undefined) return `one of ${schema.enum.map(String).join(", ")}`;
  if (schema["x-list-of"] !== undefined) return `a comma-separated list of ${schema["x-list-of"].join(", ")}`;
  return rangeText(schema.minimum, schema.maximum);
}

function rangeText(minimum: number | undefined, maximum: number | undefined): string | undefined {
  if (minimum === undefined) return maximum === undefined ? undefined : `at most ${maximum}`;
  return maximum === undefined ? `at least ${minimum}` : `${minimum} to ${maximum}`;
}
