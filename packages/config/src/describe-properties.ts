import { allowedText } from "./allowed.ts";
import { memberPath } from "./config-path.ts";
import type { JsonSchema } from "./json-schema.ts";

/** One row of a connector's property table, as `connectors describe` and `--help` print it. */
export interface PropertyDescription {
  /** `login.user` for one that stands in the JSON of another. */
  readonly name: string;
  /** As the table calls it, else the JSON Schema type. */
  readonly type: string;
  readonly required: boolean;
  readonly sensitive: boolean;
  /** As text; absent when there is none. */
  readonly default?: string;
  readonly description: string;
  /** To follow "must be"; absent when the type says it all. */
  readonly allowed?: string;
  /** Heading of the table the property stands in. */
  readonly section?: string;
}

/** The rows of a schema in the order of its table; settings inside the JSON of others come after all others. */
export function describeProperties(schema: JsonSchema): readonly PropertyDescription[] {
  return rows(schema, "", false);
}

function rows(schema: JsonSchema, path: string, sensitive: boolean): PropertyDescription[] {
  const places = Object.entries(schema.properties ?? {}).map(([key, property]) => ({
    property,
    name: memberPath(path, key),
    hidden: sensitive || property["x-sensitive"] === true,
    required: schema.required?.includes(key) === true,
  }));
  return [
    ...places.map(({ property, name, hidden, required }) => describe(property, name, hidden, required)),
    ...places.flatMap(({ property, name, hidden }) => rows(property.contentSchema ?? property, name, hidden)),
  ];
}

function describe(
  schema: JsonSchema,
  name: string,
  sensitive: boolean,
  required: boolean,
): PropertyDescription {
  const allowed = allowedText(schema);
  const section = schema["x-section"];
  return {
    name,
    type: schema["x-type"] ?? schema.type ?? "any",
    required,
    sensitive,
    description: schema.description ?? "",
    ...(schema.default === undefined ? {} : { default: String(schema.default) }),
    ...(allowed === undefined ? {} : { allowed }),
    ...(section === undefined ? {} : { section }),
  };
}
