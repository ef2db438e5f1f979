import type { BenchDocument, BenchRound, Series } from "../document.ts";
import { cellsOf, type Figure } from "../figure.ts";
import type { RoundLoad } from "../load.ts";
import type { JavaBenchOptions } from "./java-options.ts";

/** One connector's figures of one round. */
export interface ConnectorFigures {
  /** User and kernel mode, of the whole process, from its first call for records to the last record stored. */
  readonly cpuMicrosPerRecord: number;
  /** The same for the second half of the records, when more of its code is compiled. */
  readonly laterCpuMicrosPerRecord: number;
  /** The most memory it ever had resident. */
  readonly peakResidentMegabytes: number;
  /** What it had used when its first record was stored. */
  readonly startCpuSeconds: number;
  /** From the start of its process to its first record stored. */
  readonly startSeconds: number;
}

export interface MeasuredConnector {
  readonly figures: ConnectorFigures;
  readonly series: Readonly<Record<string, Series>>;
  readonly load: RoundLoad;
}

export interface JavaRound {
  readonly ours: MeasuredConnector;
  readonly java: MeasuredConnector;
}

type Side = keyof JavaRound;
export type JavaValue = `${Side}.${keyof ConnectorFigures}`;

const rows = [
  { name: "cpuMicrosPerRecord", title: "CPU, µs a record", digits: 1 },
  { name: "laterCpuMicrosPerRecord", title: "the same, second half", digits: 1 },
  { name: "peakResidentMegabytes", title: "peak RSS, MB", digits: 0 },
  { name: "startCpuSeconds", title: "CPU until the first record, s", digits: 1 },
  { name: "startSeconds", title: "time to the first record, s", digits: 1 },
] as const satisfies readonly {
  readonly name: keyof ConnectorFigures;
  readonly title: string;
  readonly digits: number;
}[];

/** Ours to Java's, of the same round. */
export const javaRatios: Readonly<Record<string, readonly [JavaValue, JavaValue]>> = Object.fromEntries(
  rows.map(({ name }) => [`ratio.${name}`, [`ours.${name}`, `java.${name}`]] as const),
);

export function javaRound({ ours, java }: JavaRound): BenchRound<JavaValue> {
  return {
    loads: { ours: ours.load, java: java.load },
    values: { ...valuesOf("ours", ours), ...valuesOf("java", java) },
    series: { ...seriesOf("ours", ours), ...seriesOf("java", java) },
  };
}

function valuesOf(side: Side, { figures }: MeasuredConnector): BenchRound<JavaValue>["values"] {
  return Object.fromEntries(rows.map(({ name }) => [`${side}.${name}`, figures[name]]));
}

function seriesOf(side: Side, { series }: MeasuredConnector): Record<string, Series> {
  return Object.fromEntries(Object.entries(series).map(([name, one]) => [`${side}.${name}`, one]));
}

/** For people: median first, then the spread. */
export function table(
  { figures, rounds, details }: BenchDocument,
  { records, sizeBytes, fanOut }: JavaBenchOptions,
): string {
  const line = (cells: readonly string[]) => {
    const [title = "", ...columns] = cells;
    const widths = [11, 18];
    const padded = columns.map((cell, index) => cell.padStart(widths[index % widths.length] ?? 0));
    return `  ${title.padEnd(32)}${padded.join("")}`.trimEnd();
  };
  const cells = (found: Figure | undefined, digits: number) =>
    found === undefined ? (["-", ""] as const) : cellsOf(found, digits);
  const { connector } = details as { readonly connector: string }; // as the benchmark has it
  return [
    `${records} records of ${sizeBytes} bytes, 4 shards, by ${fanOut ? "fan-out" : "polling"}, ${rounds.length} rounds`,
    `java: ${connector}`,
    line(["", "ours", "min … max", "java", "min … max", "ours:java", "min … max"]),
    ...rows.map(({ name, title, digits }) =>
      line([
        title,
        ...cells(figures[`ours.${name}`], digits),
        ...cells(figures[`java.${name}`], digits),
        ...cells(figures[`ratio.${name}`], 2),
      ]),
    ),
    "",
  ].join("\n");
}

/** Most of Java's CPU time and memory that ours may need. */
const limit = 0.5;

/** What ours needs too much of, a line each. The median counts: other work may have disturbed a round. */
export function excesses({ figures, load }: BenchDocument): readonly string[] {
  if (load.refused !== null) return [];
  const bounded = [
    { what: "CPU time a record", ratio: figures["ratio.cpuMicrosPerRecord"]?.median ?? Number.NaN },
    { what: "memory", ratio: figures["ratio.peakResidentMegabytes"]?.median ?? Number.NaN },
  ];
  return bounded
    .filter(({ ratio }) => !(ratio <= limit))
    .map(
      ({ what, ratio }) => `ours needs ${ratio.toFixed(2)} of Java's ${what}, at most ${limit} is allowed`,
    );
}
