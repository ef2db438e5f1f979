import { cellsOf, type Figure, figure, type Machine, machine } from "../figure.ts";
import type { LoopBenchOptions } from "./loop-options.ts";

const guarantees = ["ATLEAST_ONCE", "EFFECTIVELY_ONCE"] as const;

/** µs CPU a record, with effectively-once over four partitions. */
export type LoopRound = Readonly<Record<(typeof guarantees)[number], number>>;

/** The JSON document. */
export interface LoopReport {
  readonly benchmark: "loop";
  readonly at: string;
  readonly machine: Machine;
  readonly options: Pick<LoopBenchOptions, "records" | "rounds">;
  readonly cpuMicrosPerRecord: Readonly<Record<keyof LoopRound, Figure | undefined>>;
}

/** Most that a record may cost. */
const limitMicros = 2;

export function summarise(
  { records, rounds: count }: LoopBenchOptions,
  rounds: readonly LoopRound[],
): LoopReport {
  return {
    benchmark: "loop",
    at: new Date().toISOString(),
    machine: machine(),
    options: { records, rounds: count },
    cpuMicrosPerRecord: {
      ATLEAST_ONCE: figure(rounds.map((round) => round.ATLEAST_ONCE)),
      EFFECTIVELY_ONCE: figure(rounds.map((round) => round.EFFECTIVELY_ONCE)),
    },
  };
}

/** For people: median first, then the spread. */
export function table({ options, cpuMicrosPerRecord }: LoopReport): string {
  const lines = [`${options.records} records, ${options.rounds} rounds; CPU, µs a record`];
  for (const guarantee of guarantees) {
    const found = cpuMicrosPerRecord[guarantee];
    if (found === undefined) continue;
    const [median, range] = cellsOf(found, 2);
    lines.push(`  ${guarantee.padEnd(20)}${median.padStart(8)}${range.padStart(18)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** What costs too much, a line each. The median counts: a round may have had company. */
export function excesses({ cpuMicrosPerRecord }: LoopReport): readonly string[] {
  return guarantees.flatMap((guarantee) => {
    const { median } = cpuMicrosPerRecord[guarantee] ?? { median: Number.NaN };
    if (median <= limitMicros) return [];
    return [`${guarantee}: ${median.toFixed(2)} µs CPU a record, at most ${limitMicros} are allowed`];
  });
}
