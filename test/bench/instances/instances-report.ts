import { cellsOf, type Figure, figure, type Machine, machine } from "../figure.ts";
import type { InstancesBenchOptions } from "./instances-options.ts";

/** µs CPU a record. */
export interface InstancesRound {
  readonly one: number;
  readonly four: number;
}

/** The JSON document. */
export interface InstancesReport {
  readonly benchmark: "instances";
  readonly at: string;
  readonly machine: Machine;
  readonly options: Pick<InstancesBenchOptions, "records" | "sizeBytes" | "rounds">;
  readonly cpuMicrosPerRecord: Readonly<Record<keyof InstancesRound, Figure | undefined>>;
  /** Four to one, of the same round. */
  readonly ratio: Figure | undefined;
  readonly rounds: readonly InstancesRound[];
}

/** Most that a record may cost with four instances, in what it costs with one. */
const limit = 1.15;

export function summarise(
  { records, sizeBytes, rounds: count }: InstancesBenchOptions,
  rounds: readonly InstancesRound[],
): InstancesReport {
  return {
    benchmark: "instances",
    at: new Date().toISOString(),
    machine: machine(),
    options: { records, sizeBytes, rounds: count },
    cpuMicrosPerRecord: {
      one: figure(rounds.map(({ one }) => one)),
      four: figure(rounds.map(({ four }) => four)),
    },
    ratio: figure(rounds.map(({ one, four }) => four / one)),
    rounds,
  };
}

/** For people: median first, then the spread. */
export function table({ options, cpuMicrosPerRecord: { one, four }, ratio }: InstancesReport): string {
  const { records, sizeBytes, rounds } = options;
  const line = (title: string, found: Figure | undefined, digits: number) => {
    const [median, range] = found === undefined ? ["-", ""] : cellsOf(found, digits);
    return `  ${title.padEnd(34)}${median.padStart(8)}${range.padStart(18)}`;
  };
  return [
    `${records} records of ${sizeBytes} bytes, 4 shards, ${rounds} rounds`,
    line("one instance, µs CPU a record", one, 1),
    line("four instances, µs CPU a record", four, 1),
    line("four : one", ratio, 2),
    "",
  ].join("\n");
}

/** What costs too much, a line each. The median counts: a round may have had company. */
export function excesses({ ratio }: InstancesReport): readonly string[] {
  const { median } = ratio ?? { median: Number.NaN };
  if (median <= limit) return [];
  return [
    `with four instances a record costs ${median.toFixed(2)} times as much, at most ${limit} are allowed`,
  ];
}
