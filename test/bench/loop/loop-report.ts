import type { BenchDocument } from "../document.ts";
import { figureTable } from "../figure-table.ts";
import type { LoopBenchOptions } from "./loop-options.ts";

/** µs CPU a record, with effectively-once over four partitions. */
const rows = [
  { name: "ATLEAST_ONCE", title: "ATLEAST_ONCE", digits: 2 },
  { name: "EFFECTIVELY_ONCE", title: "EFFECTIVELY_ONCE", digits: 2 },
] as const;

export type LoopValue = (typeof rows)[number]["name"];

/** Most that a record may cost. */
const limitMicros = 2;

/** For people: median first, then the spread. */
export function table(document: BenchDocument, { records, rounds }: LoopBenchOptions): string {
  return figureTable(`${records} records, ${rounds} rounds; CPU, µs a record`, rows, document);
}

/** What costs too much, a line each. The median counts: other work may have disturbed a round. */
export function excesses({ figures }: BenchDocument): readonly string[] {
  return rows.flatMap(({ name }) => {
    const { median } = figures[name] ?? { median: Number.NaN };
    if (median <= limitMicros) return [];
    return [`${name}: ${median.toFixed(2)} µs CPU a record, at most ${limitMicros} are allowed`];
  });
}
