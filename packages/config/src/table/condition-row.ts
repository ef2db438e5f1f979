import type { Clause, Condition, Effect } from "../json-schema.ts";
import { codeSpans, type TableRow } from "./table-row.ts";

const whenForms =
  "write `a` is set, `a` is not set, `a` is `X` or `Y`, `a` is not `X`, joined by `and`; or always";
const thenForms =
  "write `a` and `b` are required; one of `a`, `$VARIABLE` is required; `a` is ignored; or `a` is meant";

/**
 * Reads one row of the table of conditions.
 *
 * @throws PropertyTableError (`PIO_PROPERTY_TABLE`) naming row and column.
 */
export function readConditionRow(row: TableRow): Condition {
  const because = row.cell("because");
  if (because === "")
    throw row.defect("because", "a condition needs a reason", "say why: users read it in the error");
  return { when: readWhen(row), effect: readThen(row), because };
}

function readWhen(row: TableRow): readonly Clause[] {
  const cell = row.cell("when");
  if (cell === "always") return [];
  return cell.split(" and ").map((text) => {
    const match = /^`([^`]+)` is (set|not set|(not )?`[^`]+`(?:(?:, | or )`[^`]+`)*)$/.exec(text);
    const [, path, what = "", not] = match ?? [];
    if (path === undefined) throw row.defect("when", `"${text}" is not understood`, whenForms);
    if (what === "set") return { kind: "set", path };
    if (what === "not set") return { kind: "not-set", path };
    return { kind: not === undefined ? "is" : "is-not", path, values: codeSpans(what) };
  });
}

const list = "`[^`]+`(?:(?:, | and | or |, and |, or )`[^`]+`)*";
const oneRequired = new RegExp(`^one of (${list}) is required$`);
const simple = new RegExp(`^(${list}) (?:is|are) (required|ignored|meant)$`);

function readThen(row: TableRow): Effect {
  const cell = row.cell("then");
  const oneOf = oneRequired.exec(cell)?.[1];
  if (oneOf !== undefined) {
    const names = codeSpans(oneOf);
    return {
      kind: "one-required",
      paths: names.filter((name) => !name.startsWith("$")),
      environment: names.filter((name) => name.startsWith("$")).map((name) => name.slice(1)),
    };
  }
  const [, names = "", kind] = simple.exec(cell) ?? [];
  if (kind === "required" || kind === "ignored" || kind === "meant") return { kind, paths: codeSpans(names) };
  throw row.defect("then", `"${cell}" is not understood`, thenForms);
}
