import type { JsonSchema } from "../json-schema.ts";

const lineWidth = 110;

/**
 * The TypeScript types of a config that the validator has passed, and of the settings inside its JSON texts.
 *
 * @param notice the first line, as a comment.
 */
export function writeTypeScript(schema: JsonSchema, typeName: string, notice: string): string {
  const inner = Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    property.contentSchema === undefined
      ? []
      : [declaration(property.contentSchema, pascalCase(name), `What the JSON in \`${name}\` may hold.`)],
  );
  const outer = declaration(schema, typeName, "The config, validated and complete with its defaults.");
  return [`// ${notice}`, outer, ...inner].join("\n\n").concat("\n");
}

function declaration(schema: JsonSchema, name: string, doc: string): string {
  const members = Object.entries(schema.properties ?? {}).map(([key, property]) =>
    member(key, property, schema.required?.includes(key) === true),
  );
  return [`/** ${doc} */`, `export interface ${name} {`, ...members, "}"].join("\n");
}

function member(name: string, schema: JsonSchema, required: boolean): string {
  const present = required || schema.default !== undefined;
  const type = typeOf(schema);
  const line = `  readonly ${name}${present ? "" : "?"}: ${type}${present ? "" : " | undefined"};`;
  const fits = line.length <= lineWidth;
  return `${docComment(schema)}\n${fits ? line : brokenUnion(name, schema, present)}`;
}

function typeOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  return schema.type === "integer" ? "number" : (schema.type ?? "unknown");
}

function brokenUnion(name: string, schema: JsonSchema, present: boolean): string {
  const members = (schema.enum ?? [])
    .map((value) => JSON.stringify(value))
    .concat(present ? [] : ["undefined"]);
  const lines = members.map((value) => `    | ${value}`).join("\n");
  return `  readonly ${name}${present ? "" : "?"}:\n${lines};`;
}

function docComment(schema: JsonSchema): string {
  const note = schema.format === "date-time" ? " ISO 8601 in UTC." : "";
  const fallback = schema.default === undefined ? "" : ` Default \`${String(schema.default)}\`.`;
  const text = `${schema.description ?? ""}${note}${fallback}`.replaceAll("*/", "* /").trim();
  return `  /** ${text} */`;
}

function pascalCase(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
