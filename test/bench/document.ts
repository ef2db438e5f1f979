import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Figure, figure, type Machine, machine } from "./figure.ts";
import { judgeLoad, type LoadVerdict, type RoundLoad } from "./load.ts";

/** What was measured: a build of the CLI. */
export interface Tool {
  readonly version: string;
  /** `unknown` outside of a git repository. */
  readonly commit: string;
  /** The working tree differed from the commit. */
  readonly changed: boolean;
}

/** A value over the time of a round, or over its records: pairs of x and y. */
export type Series = readonly (readonly [number, number])[];

/** One pass of everything that a benchmark compares. Names carry their units. */
export interface BenchRound<Name extends string = string> {
  /** By what was measured: each part of a comparison has its own. */
  readonly loads: Readonly<Record<string, RoundLoad>>;
  readonly values: Readonly<Partial<Record<Name, number>>>;
  readonly series?: Readonly<Record<string, Series>>;
}

/** What a benchmark measured, before it is judged. */
export interface Measurement<Name extends string = string> {
  readonly rounds: readonly BenchRound<Name>[];
  /** Figures that compare two values of a round: the first divided by the second. */
  readonly ratios?: Readonly<Record<string, readonly [Name, Name]>>;
  /** What has another form than values of rounds. */
  readonly details?: unknown;
}

/** The JSON document of every benchmark. A figure that was not measured is absent. */
export interface BenchDocument<Name extends string = string> {
  readonly format: 1;
  readonly benchmark: string;
  /** Tells it from other runs of the same benchmark. */
  readonly name: string;
  readonly at: string;
  readonly tool: Tool;
  readonly machine: Machine;
  readonly load: LoadVerdict;
  readonly options: Readonly<Record<string, unknown>>;
  readonly rounds: readonly BenchRound<Name>[];
  /** Over all rounds: each value of the rounds, and each ratio unless the load forbids it. */
  readonly figures: Readonly<Partial<Record<string, Figure>>>;
  readonly details?: unknown;
}

interface Circumstances {
  readonly benchmark: string;
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly anyLoad: boolean;
  readonly machine?: Machine;
  readonly tool?: Tool;
}

export function documentOf<Name extends string>(
  { rounds, ratios = {}, details }: Measurement<Name>,
  { benchmark, name, options, anyLoad, machine: where = machine(), tool = toolOf() }: Circumstances,
): BenchDocument<Name> {
  if (rounds.length === 0) throw new Error("no round was measured");
  const loads = rounds.flatMap((round) => Object.values(round.loads));
  const load = judgeLoad(loads, { cores: where.cores, anyLoad });
  const names = new Set(rounds.flatMap(({ values }) => Object.keys(values) as Name[])); // its own keys
  const figures: Record<string, Figure | undefined> = {};
  for (const one of names) figures[one] = figure(rounds.map(({ values }) => values[one]));
  if (load.refused === null)
    for (const [one, pair] of Object.entries(ratios)) figures[one] = figure(rounds.map(quotient(pair)));
  return {
    format: 1,
    benchmark,
    name,
    at: new Date().toISOString(),
    tool,
    machine: where,
    load,
    options,
    rounds,
    figures,
    ...(details === undefined ? {} : { details }),
  };
}

function quotient<Name extends string>([above, below]: readonly [Name, Name]) {
  return ({ values }: BenchRound<Name>): number | undefined => {
    const [dividend, divisor] = [values[above], values[below]];
    return dividend === undefined || divisor === undefined ? undefined : dividend / divisor;
  };
}

/** What the figures depend on beside the build, for people. */
export function circumstancesLine({ tool, machine: { node, cores }, load, rounds }: BenchDocument): string {
  const averages = rounds.flatMap((round) => Object.values(round.loads).map((one) => one.loadAverage));
  const { min, max } = load.otherCores;
  return [
    `  ${tool.version} at ${tool.commit}${tool.changed ? ", changed" : ""}, Node ${node.slice(1)}, ${cores} cores`,
    `load average before each round ${averages.map((average) => average.toFixed(1)).join(", ")}`,
    `other work took ${min.toFixed(2)} to ${max.toFixed(2)} cores: ${load.machine}`,
  ].join("; ");
}

/** The build whose CLI is run. */
export function toolOf(): Tool {
  const bin =
    process.env["PULSAR_TS_IO_BIN"] ??
    fileURLToPath(new URL("../../runtime/bin/pulsar-ts-io.js", import.meta.url));
  const folder = dirname(dirname(bin));
  const { version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as { version: string }; // npm's own format
  return { version, ...commitOf(folder) };
}

function commitOf(folder: string): Pick<Tool, "commit" | "changed"> {
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", folder, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  try {
    return {
      commit: git("rev-parse", "--short=9", "HEAD").trim(),
      // What a build is made of: results that were saved are no change of it.
      changed: git("status", "--porcelain", "--", ":/packages", ":/connectors", ":/runtime").trim() !== "",
    };
  } catch {
    return { commit: "unknown", changed: false };
  }
}
