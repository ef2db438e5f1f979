import { type LoadedModules, packageOf } from "../../harness/loaded-modules.ts";
import type { BenchDocument, BenchRound } from "../document.ts";
import { cellsOf } from "../figure.ts";
import type { RoundLoad } from "../load.ts";
import type { Start } from "./one-start.ts";
import type { StartBenchOptions } from "./start-options.ts";

/** One round: each kind once. */
interface Starts {
  /** On a new lease table. */
  readonly cold: Start;
  /** On a lease table with leases and stored positions. */
  readonly leased: Start;
  /** A Node that prints a line. */
  readonly bare: Start;
}

type Kind = keyof Starts;
const kinds: readonly Kind[] = ["cold", "leased", "bare"];

export type StartValue = `${Kind}.${"cpuSeconds" | "residentMegabytes" | "milliseconds"}`;

/** CPU time of a cold start beside a bare Node's, of the same round. */
export const startRatios = { cpuToBareNode: ["cold.cpuSeconds", "bare.cpuSeconds"] } as const;

/** What a start loads: the document's `details`. */
export interface StartModules {
  readonly count: number;
  readonly bytes: number;
  /** By package, the largest first. */
  readonly packages: readonly PackageModules[];
}

interface PackageModules {
  readonly name: string;
  readonly modules: number;
}

export function startRound(starts: Starts, load: RoundLoad): BenchRound<StartValue> {
  const values = kinds.flatMap((kind) => {
    const { cpuSeconds, residentBytes, ms } = starts[kind];
    return [
      [`${kind}.cpuSeconds`, cpuSeconds],
      [`${kind}.residentMegabytes`, residentBytes / 1e6],
      [`${kind}.milliseconds`, ms],
    ] as const;
  });
  return { loads: { starts: load }, values: Object.fromEntries(values) };
}

export function byPackage({ files }: LoadedModules): readonly PackageModules[] {
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
export function table({ figures, details }: BenchDocument, { starts }: StartBenchOptions): string {
  const modules = details as StartModules; // as the benchmark has it
  const cells = (name: string, digits: number): readonly [string, string] => {
    const found = figures[name];
    return found === undefined ? ["-", ""] : cellsOf(found, digits);
  };
  const section = (what: string, name: string, digits: number) => [
    what,
    ...kinds.map((kind) => row(`  ${titles[kind]}`, ...cells(`${kind}.${name}`, digits))),
  ];
  const lines = [
    `until the first record, ${starts} starts each`,
    ...section("CPU, s", "cpuSeconds", 2),
    ...section("peak RSS, MB", "residentMegabytes", 0),
    ...section("time, ms", "milliseconds", 0),
    row("CPU of a cold start to a bare Node's, same round", ...cells("cpuToBareNode", 1)),
    `${modules.count} modules loaded, ${(modules.bytes / 1e6).toFixed(1)} MB of source`,
    ...modules.packages
      .slice(0, packagesShown)
      .map(({ name, modules: count }) => row(`  ${name}`, String(count), "")),
  ];
  return `${lines.join("\n")}\n`;
}

function row(what: string, value: string, range: string): string {
  return `${what.padEnd(52)}${value.padStart(8)}${range.padStart(18)}`.trimEnd();
}
