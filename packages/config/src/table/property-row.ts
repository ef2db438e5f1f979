import { coerce } from "../coerce.ts";
import type { JsonSchema } from "../json-schema.ts";
import { readAllowed } from "./allowed-cell.ts";
import type { TableRow } from "./table-row.ts";

/** A row of the property table, read. */
export interface PropertyRow {
  /** `parent.name` for a setting inside the JSON of another. */
  readonly name: string;
  readonly required: boolean;
  readonly schema: JsonSchema;
  readonly row: TableRow;
}

const int = { type: "integer", minimum: -2_147_483_648, maximum: 2_147_483_647 } as const;
/** A Java long holds more; a JavaScript number does not. */
const long = { type: "integer", minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER } as const;

/** The type names of the documents, in both their spellings. Any other name is an enumeration of allowed values. */
const types: ReadonlyMap<string, JsonSchema> = new Map<string, JsonSchema>([
  ["String", { type: "string" }],
  ["int", int],
  ["Integer", int],
  ["long", long],
  ["Long", long],
  ["double", { type: "number" }],
  ["Double", { type: "number" }],
  ["boolean", { type: "boolean" }],
  ["Boolean", { type: "boolean" }],
  ["Date", { type: "string", format: "date-time" }],
]);

/**
 * Reads one row; its default must be a value that the row itself allows.
 *
 * @throws PropertyTableError (`PIO_PROPERTY_TABLE`) naming row and column.
 */
export function readPropertyRow(row: TableRow): PropertyRow {
  const name = row.plain("name");
  if (!/^[A-Za-z]\w*(\.[A-Za-z]\w*)?$/.test(name)) {
    throw row.defect(
      "name",
      `"${name}" is no name`,
      "write letters and digits; parent.name inside the JSON of another",
    );
  }
  const base = baseType(row);
  const schema: JsonSchema = {
    ...base,
    description: row.cell("description"),
    ...readAllowed(row, base.type),
    "x-type": row.plain("type"),
    ...(flag(row, "sensitive") ? { "x-sensitive": true } : {}),
    "x-section": row.section,
  };
  return { name, required: flag(row, "required"), schema: { ...schema, ...defaultOf(row, schema) }, row };
}

/** A type that is not known is an enumeration if its row lists the values. */
function baseType(row: TableRow): JsonSchema {
  const name = row.plain("type");
  const base = types.get(name);
  if (base !== undefined) return base;
  if (/^[A-Z]\w*$/.test(name) && readAllowed(row).enum !== undefined) return { type: "string" };
  throw row.defect(
    "type",
    `"${name}" is no known type`,
    `write one of ${[...types.keys()].join(", ")}, or list the values of an enumeration under "Allowed"`,
  );
}

function flag(row: TableRow, column: string): boolean {
  const text = row.plain(column);
  if (text === "true" || text === "false") return text === "true";
  throw row.defect(column, `"${text}" is neither true nor false`, "write true or false");
}

/** `(empty string)` is how the documents write "not set". */
function defaultOf(row: TableRow, schema: JsonSchema): { readonly default?: unknown } {
  const text = row.plain("default");
  if (text === "" || text === "–" || /^(["“”]\s*["“”] *)?\(empty string\)$/.test(text)) return {};
  if (schema["x-sensitive"] === true) {
    throw row.defect("default", "a secret has no default", "leave the cell empty");
  }
  const coerced = coerce(text, schema);
  if (coerced.kind !== "value") {
    const why = coerced.kind === "problem" ? coerced.message : "must not be blank";
    throw row.defect(
      "default",
      `"${text}" does not fit the type: ${why}`,
      "write a value of the type, or leave it empty",
    );
  }
  return { default: coerced.value };
}
