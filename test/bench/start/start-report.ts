import os from "node:os";
import { type LoadedModules, packageOf } from "../../harness/loaded-modules.ts";
import { cellsOf, type Figure, figure, type Machine, machine } from "../figure.ts";
import type { Start } from "./one-start.ts";
import type { StartBenchOptions } from "./start-options.ts";

/** One round: each kind once. */
export interface StartRound {
  /** On a new lease table. */
  readonly cold: Start;
  /** On a lease table with leases and stored positions. */
  readonly leased: Start;
  /** A Node that prints a line. */
  readonly bare: Start;
}

type Kind = keyof StartRound;
const kinds: readonly Kind[] = ["cold", "leased", "bare"];

/** The JSON document. */
export interface StartReport {
  readonly benchmark: "start";
  readonly at: string;
  readonly machine: Machine;
  readonly loadAverage: number;
  readonly options: Pick<StartBenchOptions, "starts">;
  readonly cpuSeconds: Readonly<Record<Kind, Figure | undefined>>;
  readonly residentMegabytes: Readonly<Record<Kind, Figure | undefined>>;
  readonly milliseconds: Readonly<Record<Kind, Figure | undefined>>;
  /** CPU time of a cold start beside a bare Node's, of the same round. */
  readonly cpuToBareNode: Figure | undefined;
  readonly modules: {
    readonly count: number;
    readonly bytes: number;
    /** By package, the largest first. */
    readonly packages: readonly PackageModules[];
  };
}

interface PackageModules {
  readonly name: string;
  readonly modules: number;
}

export function summarise(
  { starts }: StartBenchOptions,
  rounds: readonly StartRound[],
  loaded: LoadedModules,
): StartReport {
  return {
    benchmark: "start",
    at: new Date().toISOString(),
    machine: machine(),
    loadAverage: os.loadavg()[0] ?? Number.NaN,
    options: { starts },
    cpuSeconds: figures(rounds, (start) => start.cpuSeconds),
    residentMegabytes: figures(rounds, (start) => start.residentBytes / 1e6),
    milliseconds: figures(rounds, (start) => start.ms),
    cpuToBareNode: figure(rounds.map(({ cold, bare }) => cold.cpuSeconds / bare.cpuSeconds)),
    modules: { count: loaded.files.length, bytes: loaded.bytes, packages: byPackage(loaded) },
  };
}

function figures(
  rounds: readonly StartRound[],
  of: (start: Start) => number,
): Readonly<Record<Kind, Figure | undefined>> {
  const over = (kind: Kind) => figure(rounds.map((round) => of(round[kind])));
  return { cold: over("cold"), leased: over("leased"), bare: over("bare") };
}

function byPackage({ files }: LoadedModules): readonly PackageModules[] {
  const counts = new Map<string, number>();
  for (const file of files) {
    const name = packageOf(file) ?? "this repository";
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .map(([name, modules]) => ({ name, modules }))
    .sort((one, other) => other.modules - one.modules);
}

const titles: Readonly<Record<Kind, string>> = {
  cold: "on a new lease table",
  leased: "with leases there",
  bare: "bare Node, for its first line",
};
const packagesShown = 12;

/** For people: median first, then the spread. */
export function table(report: StartReport): string {
  const { options, loadAverage, modules, cpuToBareNode } = report;
  const lines = [
    `until the first record, ${options.starts} starts each; load average ${loadAverage.toFixed(1)}`,
    ...section("CPU, s", report.cpuSeconds, 2),
    ...section("peak RSS, MB", report.residentMegabytes, 0),
    ...section("time, ms", report.milliseconds, 0),
  ];
  if (cpuToBareNode !== undefined) {
    const [median, range] = cellsOf(cpuToBareNode, 1);
    lines.push(row("CPU of a cold start to a bare Node's, same round", median, range));
  }
  lines.push(`${modules.count} modules loaded, ${(modules.bytes / 1e6).toFixed(1)} MB of source`);
  for (const { name, modules: count } of modules.packages.slice(0, packagesShown))
    lines.push(row(`  ${name}`, String(count), ""));
  return `${lines.join("\n")}\n`;
}

function section(what: string, found: StartReport["cpuSeconds"], digits: number): readonly string[] {
  const rows = kinds.flatMap((kind) => {
    const of = found[kind];
    return of === undefined ? [] : [row(`  ${titles[kind]}`, ...cellsOf(of, digits))];
  });
  return [what, ...rows];
}

function row(what: string, value: string, range: string): string {
  return `${what.padEnd(52)}${value.padStart(8)}${range.padStart(18)}`.trimEnd();
}
