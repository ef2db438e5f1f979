import type { Condition, JsonSchema } from "../json-schema.ts";
import type { TableRow } from "./table-row.ts";

/**
 * Holds the conditions against the property table: every name and every listed value must exist there.
 *
 * @param rows the rows the conditions were read from, in the same order.
 * @throws PropertyTableError (`PIO_PROPERTY_TABLE`): a condition on a name that was mistyped would never hold, silently.
 */
export function checkConditions(
  conditions: readonly Condition[],
  rows: readonly TableRow[],
  schema: JsonSchema,
): void {
  for (const [index, condition] of conditions.entries()) {
    const row = rows[index];
    if (row !== undefined) checkCondition(condition, row, schema);
  }
}

function checkCondition(condition: Condition, row: TableRow, schema: JsonSchema): void {
  const { when, effect } = condition;
  for (const path of effect.paths) {
    if (find(path, schema) === undefined) throw unknownName(row, "then", path);
  }
  for (const clause of when) {
    const property = find(clause.path, schema);
    if (effect.kind === "meant") {
      if (property !== undefined) {
        throw row.defect(
          "when",
          `"${clause.path}" is a property, not a misspelling`,
          "name a spelling that is none",
        );
      }
      continue;
    }
    if (property === undefined) throw unknownName(row, "when", clause.path);
    if (clause.kind === "is" || clause.kind === "is-not") checkValues(clause.values, property, row);
  }
}

function checkValues(values: readonly string[], property: JsonSchema, row: TableRow): void {
  const allowed = property.type === "boolean" ? ["true", "false"] : property.enum?.map(String);
  const wrong = allowed === undefined ? undefined : values.find((value) => !allowed.includes(value));
  if (wrong !== undefined) {
    throw row.defect(
      "when",
      `"${wrong}" is none of the allowed values`,
      "write one of those in the property's row",
    );
  }
}

function find(path: string, schema: JsonSchema): JsonSchema | undefined {
  const [outer = "", inner] = path.split(".");
  const property = schema.properties?.[outer];
  return inner === undefined ? property : property?.contentSchema?.properties?.[inner];
}

function unknownName(row: TableRow, column: string, path: string) {
  return row.defect(column, `there is no property "${path}"`, "write the name as in the property table");
}
