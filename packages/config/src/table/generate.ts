import { PropertyTableError } from "../errors.ts";
import type { Condition, JsonSchema } from "../json-schema.ts";
import { ConfigValidator } from "../validator.ts";
import { checkConditions } from "./check-conditions.ts";
import { readConditionRow } from "./condition-row.ts";
import { type MarkdownTable, readMarkdownTables } from "./markdown-tables.ts";
import { type PropertyRow, readPropertyRow } from "./property-row.ts";
import { TableRow } from "./table-row.ts";
import { writeTypeScript } from "./typescript.ts";

export interface GenerateOptions {
  /** Title of the schema, such as `files-source`. */
  readonly title: string;
  /** Name of the TypeScript type, such as `FilesSourceOptions`. */
  readonly typeName: string;
  /** Where the Markdown comes from, for errors and the head of what is generated. */
  readonly origin: string;
  /** What is run to generate again; default `pnpm schemas`. */
  readonly command?: string;
}

/** As a comment in what is generated, for whoever opens it. */
function notice({ origin, command = "pnpm schemas" }: GenerateOptions): string {
  return `Generated from ${origin} by \`${command}\`. Edit the table there.`;
}

export interface GeneratedConfig {
  readonly schema: JsonSchema;
  /** The schema as it is written to disk. */
  readonly schemaText: string;
  readonly typeScript: string;
}

const propertyColumns = ["name", "type", "required", "sensitive", "default", "description"];
const conditionColumns = ["when", "then", "because"];

/**
 * Turns the property tables and the tables of conditions of a Markdown text into schema and type.
 *
 * A property table is one with the columns Name, Type, Required, Sensitive, Default, Description, and perhaps Allowed; there may
 * be several. A table of conditions has When, Then, Because. Other tables are left alone. The same text gives the same result.
 *
 * @throws PropertyTableError (`PIO_PROPERTY_TABLE`) naming the row and the column that is wrong.
 */
export async function generateFromTables(
  markdown: string,
  options: GenerateOptions,
): Promise<GeneratedConfig> {
  const tables = await readMarkdownTables(markdown);
  const properties = rowsWith(tables, propertyColumns, "name").map(readPropertyRow);
  if (properties.length === 0) {
    throw new PropertyTableError(`there is no property table in ${options.origin}`, {
      remedy: `add a table with the columns ${propertyColumns.join(" | ")}`,
    });
  }
  const schema = objectSchema(properties, options);
  const conditionRows = rowsWith(tables, conditionColumns, "when");
  const conditions = conditionRows.map(readConditionRow);
  checkConditions(conditions, conditionRows, schema);
  const whole = withConditions(schema, conditions);
  checkDefaults(whole, properties);
  return {
    schema: whole,
    schemaText: `${JSON.stringify(whole, undefined, 2)}\n`,
    typeScript: writeTypeScript(whole, options.typeName, notice(options)),
  };
}

function rowsWith(
  tables: readonly MarkdownTable[],
  columns: readonly string[],
  nameColumn: string,
): readonly TableRow[] {
  return tables
    .filter((table) => columns.every((column) => table.columns.includes(column)))
    .flatMap((table) => table.rows.map((row) => new TableRow(table, row, nameColumn)));
}

function objectSchema(rows: readonly PropertyRow[], options: GenerateOptions): JsonSchema {
  refuseDuplicates(rows);
  const outer = rows.filter((row) => !row.name.includes("."));
  const properties = new Map(outer.map((row) => [row.name, row.schema]));
  for (const [parent, inner] of groupByParent(rows)) {
    const schema = properties.get(parent);
    const [first] = inner;
    if (first !== undefined && schema?.contentMediaType !== "application/json") {
      throw first.row.defect(
        "name",
        `there is no property "${parent}" that holds JSON`,
        "give it a row, allowed: JSON",
      );
    }
    properties.set(parent, { ...schema, contentSchema: mapping(inner, innerName) });
  }
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: options.title,
    description: notice(options),
    ...mapping(outer, (row) => row.name, properties),
  };
}

function groupByParent(rows: readonly PropertyRow[]): ReadonlyMap<string, readonly PropertyRow[]> {
  const groups = new Map<string, PropertyRow[]>();
  for (const row of rows) {
    const [parent = "", inner] = row.name.split(".");
    if (inner !== undefined) groups.set(parent, [...(groups.get(parent) ?? []), row]);
  }
  return groups;
}

function mapping(
  rows: readonly PropertyRow[],
  nameOf: (row: PropertyRow) => string,
  schemas?: ReadonlyMap<string, JsonSchema>,
): JsonSchema {
  const required = rows.filter((row) => row.required).map(nameOf);
  return {
    type: "object",
    properties: Object.fromEntries(rows.map((row) => [nameOf(row), schemas?.get(row.name) ?? row.schema])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

function innerName(row: PropertyRow): string {
  return row.name.slice(row.name.indexOf(".") + 1);
}

function withConditions(schema: JsonSchema, conditions: readonly Condition[]): JsonSchema {
  return conditions.length === 0 ? schema : { ...schema, "x-conditions": conditions };
}

/** Names that differ only in case would be two settings that nobody can tell apart. */
function refuseDuplicates(rows: readonly PropertyRow[]): void {
  const seen = new Set<string>();
  for (const { name, row } of rows) {
    if (seen.has(name.toLowerCase())) {
      throw row.defect(
        "name",
        `"${name}" stands twice`,
        "keep one row; upper and lower case do not tell names apart",
      );
    }
    seen.add(name.toLowerCase());
  }
}

/** A default must pass the row's own range and list; ajv compiles the schema on the way. */
function checkDefaults(schema: JsonSchema, rows: readonly PropertyRow[]): void {
  const validator = new ConfigValidator({ ...schema, required: [], "x-conditions": [] });
  const result = validator.validate({});
  if (result.kind === "valid") return;
  for (const { name, row } of rows) {
    const problem = result.problems.find(({ path }) => path === name);
    if (problem !== undefined) {
      throw row.defect(
        "default",
        `is not allowed: ${problem.message}`,
        "write a default that the row allows",
      );
    }
  }
}
