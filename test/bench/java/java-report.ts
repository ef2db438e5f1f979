import { shardCount } from "../bench-stream.ts";
import { cellsOf, type Figure, figure, type Machine, machine } from "../figure.ts";
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

export interface JavaRound {
  readonly ours: ConnectorFigures;
  readonly java: ConnectorFigures;
}

/** One figure over all rounds. */
export interface Comparison {
  readonly ours: Figure;
  readonly java: Figure;
  /** Ours to Java's, of the same round. */
  readonly ratio: Figure;
}

/** The JSON document. */
export interface JavaReport {
  readonly benchmark: "java";
  readonly at: string;
  readonly machine: Machine;
  readonly options: Omit<JavaBenchOptions, "check" | "json" | "outFile"> & { readonly shards: number };
  readonly java: { readonly connector: string; readonly jvmFlags: readonly string[] };
  readonly figures: Readonly<Record<keyof ConnectorFigures, Comparison>>;
  readonly rounds: readonly JavaRound[];
}

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

/** @param rounds at least one. */
export function summarise(
  { check: _check, json: _json, outFile: _outFile, ...options }: JavaBenchOptions,
  java: JavaReport["java"],
  rounds: readonly JavaRound[],
): JavaReport {
  const figures = rows.map(({ name }) => [name, comparisonOf(name, rounds)] as const);
  return {
    benchmark: "java",
    at: new Date().toISOString(),
    machine: machine(),
    options: { ...options, shards: shardCount },
    java,
    figures: Object.fromEntries(figures) as JavaReport["figures"], // one for each row, which are all
    rounds,
  };
}

function comparisonOf(name: keyof ConnectorFigures, rounds: readonly JavaRound[]): Comparison {
  return {
    ours: figureOf(rounds.map(({ ours }) => ours[name])),
    java: figureOf(rounds.map(({ java }) => java[name])),
    ratio: figureOf(rounds.map(({ ours, java }) => ours[name] / java[name])),
  };
}

function figureOf(values: readonly number[]): Figure {
  const found = figure(values);
  if (found === undefined) throw new Error("no round was measured");
  return found;
}

/** For people: median first, then the spread. */
export function table({ options, java, figures, rounds }: JavaReport): string {
  const { records, sizeBytes, shards, fanOut } = options;
  const line = (cells: readonly string[]) => {
    const [title = "", ...columns] = cells;
    const widths = [11, 18];
    const padded = columns.map((cell, index) => cell.padStart(widths[index % widths.length] ?? 0));
    return `  ${title.padEnd(32)}${padded.join("")}`.trimEnd();
  };
  return [
    `${records} records of ${sizeBytes} bytes, ${shards} shards, by ${fanOut ? "fan-out" : "polling"}, ${rounds.length} rounds`,
    `java: ${java.connector}`,
    line(["", "ours", "min … max", "java", "min … max", "ours:java", "min … max"]),
    ...rows.map(({ name, title, digits }) => {
      const { ours, java: javas, ratio } = figures[name];
      return line([title, ...cellsOf(ours, digits), ...cellsOf(javas, digits), ...cellsOf(ratio, 2)]);
    }),
    "",
  ].join("\n");
}

/** Most of Java's CPU time and memory that ours may need. */
const limit = 0.5;

/** What ours needs too much of, a line each. The median counts: a round may have had company. */
export function excesses({ figures }: JavaReport): readonly string[] {
  const bounded = [
    { what: "CPU time a record", ratio: figures.cpuMicrosPerRecord.ratio.median },
    { what: "memory", ratio: figures.peakResidentMegabytes.ratio.median },
  ];
  return bounded
    .filter(({ ratio }) => !(ratio <= limit))
    .map(
      ({ what, ratio }) => `ours needs ${ratio.toFixed(2)} of Java's ${what}, at most ${limit} is allowed`,
    );
}
