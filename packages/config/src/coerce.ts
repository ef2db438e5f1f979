import { parseInstant } from "./instant.ts";
import type { JsonSchema } from "./json-schema.ts";
import { isMapping } from "./mapping.ts";

/** What became of a value; `unset` is as if it were not there. */
export type Coerced =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "unset" }
  | { readonly kind: "problem"; readonly message: string; readonly remedy: string };

/**
 * `value` as the type its schema asks for, by the rules with which Jackson fills a Java config class.
 *
 * `"30000"` is 30000, `"true"` is true, 123 is `"123"`, null and a blank text are not set. Differences: a fraction is refused
 * where an integer is due (Jackson drops it), and a mapping is accepted where a text holds JSON.
 *
 * @see com.fasterxml.jackson.databind.deser.std.NumberDeserializers and StdDateFormat
 */
export function coerce(value: unknown, schema: JsonSchema): Coerced {
  if (value === null || value === undefined) return { kind: "unset" };
  // An empty list is a statement of its own: none of them. Java keeps an empty text apart from an absent one, too.
  if (isBlank(value) && schema["x-list-of"] === undefined) return { kind: "unset" };
  switch (schema.type) {
    case "integer":
    case "number":
      return toNumber(value, schema.type === "integer");
    case "boolean":
      return toBoolean(value);
    case "string":
      return toText(value, schema);
    default:
      return { kind: "value", value };
  }
}

function toNumber(value: unknown, integer: boolean): Coerced {
  const number = typeof value === "string" ? numberOf(value.trim(), integer) : value;
  if (typeof number === "number" && Number.isFinite(number) && (!integer || Number.isInteger(number))) {
    return { kind: "value", value: number };
  }
  return integer
    ? {
        kind: "problem",
        message: "must be an integer",
        remedy: "write digits only, without unit or separator",
      }
    : { kind: "problem", message: "must be a number", remedy: "write digits, with a point for a fraction" };
}

function numberOf(text: string, integer: boolean): number | undefined {
  const pattern = integer ? /^[+-]?\d+$/ : /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  return pattern.test(text) ? Number(text) : undefined;
}

function toBoolean(value: unknown): Coerced {
  if (typeof value === "boolean") return { kind: "value", value };
  const text = typeof value === "string" ? value.trim().toLowerCase() : undefined;
  if (text === "true" || value === 1) return { kind: "value", value: true };
  if (text === "false" || value === 0) return { kind: "value", value: false };
  return { kind: "problem", message: "must be true or false", remedy: "write true or false" };
}

const notText = { kind: "problem", message: "must be a text", remedy: "put it in quotes" } as const;

function toText(value: unknown, schema: JsonSchema): Coerced {
  if (schema.format === "date-time") return toInstantText(value);
  if (typeof value === "string") return { kind: "value", value };
  // Its last digits are lost already: a text made of it would be another one than was written.
  if (typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER) return notText;
  if (typeof value === "number" || typeof value === "boolean") return { kind: "value", value: String(value) };
  if (schema.contentMediaType === "application/json" && isMapping(value)) {
    return { kind: "value", value: JSON.stringify(value) };
  }
  if (Array.isArray(value)) return { ...notText, remedy: "write one value instead of a list" };
  if (isMapping(value)) return { ...notText, remedy: "write one value instead of a mapping" };
  return notText;
}

function toInstantText(value: unknown): Coerced {
  const epochMs = parseInstant(value);
  return epochMs === undefined
    ? {
        kind: "problem",
        message: "must be a date and time",
        remedy: "write it as 2019-03-05T19:28:58.000Z or as milliseconds since 1970-01-01T00:00:00Z",
      }
    : { kind: "value", value: new Date(epochMs).toISOString() };
}

function isBlank(value: unknown): boolean {
  return typeof value === "string" && value.trim() === "";
}
