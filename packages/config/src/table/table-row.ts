import { PropertyTableError } from "../errors.ts";
import type { MarkdownRow, MarkdownTable } from "./markdown-tables.ts";

/** A row with its place, so that every defect can be found. */
export class TableRow {
  readonly section: string;
  readonly #row: MarkdownRow;
  readonly #nameColumn: string;

  /** @param nameColumn the column whose cell the row is called by in errors. */
  constructor(table: MarkdownTable, row: MarkdownRow, nameColumn: string) {
    this.section = table.heading;
    this.#row = row;
    this.#nameColumn = nameColumn;
  }

  /** The cell, empty when the table has no such column. */
  cell(column: string): string {
    return this.#row.cells.get(column) ?? "";
  }

  /** The cell without the backticks of its code spans. */
  plain(column: string): string {
    return this.cell(column).replaceAll("`", "");
  }

  /** A defect of a cell, with table, line and name of the row. */
  defect(column: string, what: string, remedy: string): PropertyTableError {
    const where = `line ${this.#row.line}, table "${this.section}", row "${this.plain(this.#nameColumn)}"`;
    return new PropertyTableError(`${where}, column "${column}": ${what}`, {
      remedy,
      details: { line: this.#row.line, row: this.plain(this.#nameColumn), column },
    });
  }
}

/** The code spans of a text: "`a` or `b`" gives a and b. */
export function codeSpans(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");
}
