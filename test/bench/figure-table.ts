import type { BenchDocument } from "./document.ts";
import { cellsOf } from "./figure.ts";

export interface FigureRow {
  readonly name: string;
  readonly title: string;
  readonly digits: number;
}

/** For people: a line for each figure, median first, then the spread. A figure that was not measured has none. */
export function figureTable(
  title: string,
  rows: readonly FigureRow[],
  { figures }: Pick<BenchDocument, "figures">,
): string {
  const width = Math.max(...rows.map((row) => row.title.length), 0) + 2;
  const line = (head: string, median: string, range: string) =>
    `  ${head.padEnd(width)}${median.padStart(9)}${range.padStart(20)}`.trimEnd();
  return [
    title,
    line("", "median", "min … max"),
    ...rows.map(({ name, title: head, digits }) => {
      const found = figures[name];
      return line(head, ...(found === undefined ? (["-", ""] as const) : cellsOf(found, digits)));
    }),
    "",
  ].join("\n");
}
