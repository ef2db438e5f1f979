import type { ErrorObject } from "ajv";
import { allowedText } from "./allowed.ts";
import { itemPath, memberPath } from "./config-path.ts";
import type { Findings } from "./findings.ts";
import type { JsonSchema } from "./json-schema.ts";
import { nearest } from "./suggest.ts";

/** Whether a candidate satisfies a property's schema. */
export type Accepts = (schema: JsonSchema, candidate: unknown) => boolean;

interface Place {
  readonly path: string;
  readonly schema: JsonSchema;
  readonly value: unknown;
  readonly sensitive: boolean;
}

/** Turns what ajv found in `root` into problems that people can act on. */
export function reportSchemaErrors(
  errors: readonly ErrorObject[],
  root: Place,
  findings: Findings,
  accepts: Accepts,
): void {
  for (const error of errors) {
    const place = placeOf(error, root);
    if (findings.has(place.path) && place.path !== "") continue;
    if (error.keyword === "required") {
      findings.add({ path: place.path, message: "is required", remedy: requiredRemedy(place) });
    } else {
      findings.add(problemAt(place, error, findings, accepts));
    }
  }
}

function problemAt(place: Place, error: ErrorObject, findings: Findings, accepts: Accepts) {
  const { path, schema, value, sensitive } = place;
  const allowed = allowedText(schema);
  const hidden = sensitive || findings.isReference(path);
  const suggestion = hidden || typeof value !== "string" ? undefined : suggest(value, schema, accepts);
  return {
    path,
    value: findings.shown(path, value, sensitive),
    // ajv's message names the rule, never the value
    message: `${controlCharacterIn(value)}${allowed === undefined ? (error.message ?? "is not valid") : `must be ${allowed}`}`,
    ...(suggestion === undefined ? {} : { remedy: `did you mean ${suggestion}?` }),
  };
}

/** Names what nobody sees in a value that is not shown. */
function controlCharacterIn(value: unknown): string {
  if (typeof value !== "string" || !/\p{Cc}/u.test(value)) return "";
  return /[\r\n]/.test(value) ? "contains a line end, " : "contains a control character, ";
}

/** One of the allowed values, the name at the end of a path or an ARN, or the text with what is not allowed replaced, if that would do. */
function suggest(value: string, schema: JsonSchema, accepts: Accepts): string | undefined {
  if (schema.enum !== undefined) return nearest(value, schema.enum.map(String));
  if (schema.pattern === undefined) return undefined;
  const name = value.trim().split("/").at(-1) ?? "";
  if (value.includes("/") && accepts(schema, name)) return name;
  const cleaned = value
    .trim()
    .replace(/[^A-Za-z0-9_.-]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return cleaned !== value && accepts(schema, cleaned) ? cleaned : undefined;
}

function requiredRemedy({ path, schema }: Place): string {
  const [sentence] = (schema.description ?? "").split(/(?<=[.]) /);
  return sentence === undefined || sentence === "" ? `set ${path}` : `set ${path}: ${sentence}`;
}

function placeOf(error: ErrorObject, root: Place): Place {
  let place = root;
  for (const segment of error.instancePath.split("/").slice(1)) {
    place = step(place, segment.replace(/~1/g, "/").replace(/~0/g, "~"));
  }
  const missing: unknown = error.keyword === "required" ? error.params["missingProperty"] : undefined;
  return typeof missing === "string" ? step(place, missing) : place;
}

function step(place: Place, segment: string): Place {
  const { path, schema, value, sensitive } = place;
  const list = Array.isArray(value);
  const next = (list ? schema.items : schema.properties?.[segment]) ?? {};
  const inside: unknown =
    typeof value === "object" && value !== null ? Reflect.get(value, segment) : undefined;
  return {
    path: list ? itemPath(path, Number(segment)) : memberPath(path, segment),
    schema: next,
    value: inside,
    sensitive: sensitive || next["x-sensitive"] === true,
  };
}
