import type { JsonSchema } from "./json-schema.ts";

/** One setting as Pulsar's `configdefinition` shows it: every value is a text, every type Java's. */
export interface ConfigFieldDefinition {
  readonly fieldName: string;
  readonly typeName: string;
  readonly attributes: {
    readonly help: string;
    readonly defaultValue: string;
    readonly sensitive: "true" | "false";
    readonly required: "true" | "false";
  };
}

/** By the name in the property table; what is not here goes by its JSON type. */
const javaTypes: ReadonlyMap<string, string> = new Map([
  ["int", "int"],
  ["Integer", "int"],
  ["long", "long"],
  ["Long", "long"],
  ["Date", "java.util.Date"],
]);

/**
 * The settings of a schema as `GET /admin/v3/sources/builtinsources/<name>/configdefinition` lists them.
 *
 * An enumeration is a `java.lang.String`: the Java class behind it is not known here.
 */
export function configDefinition(schema: JsonSchema): readonly ConfigFieldDefinition[] {
  return Object.entries(schema.properties ?? {}).map(([fieldName, property]) => ({
    fieldName,
    typeName: javaTypes.get(property["x-type"] ?? "") ?? javaTypeOf(property),
    attributes: {
      help: property.description ?? "",
      defaultValue: property.default === undefined ? "" : String(property.default),
      sensitive: flag(property["x-sensitive"] === true),
      required: flag(schema.required?.includes(fieldName) === true),
    },
  }));
}

function javaTypeOf({ type }: JsonSchema): string {
  switch (type) {
    case "integer":
      return "long";
    case "number":
      return "double";
    case "boolean":
      return "boolean";
    case "object":
      return "java.util.Map";
    case "array":
      return "java.util.List";
    case "string":
    case undefined:
      return "java.lang.String";
    default:
      return type satisfies never;
  }
}

function flag(value: boolean): "true" | "false" {
  return value ? "true" : "false";
}
