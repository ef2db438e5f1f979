import os from "node:os";

/** One figure over all rounds. */
export interface Figure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @returns `undefined` where no round has the value. */
export function figure(values: readonly (number | undefined)[]): Figure | undefined {
  const sorted = values.filter((value) => value !== undefined).sort((one, other) => one - other);
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return undefined;
  const upper = sorted[Math.floor(sorted.length / 2)] ?? min;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? min;
  return { median: (lower + upper) / 2, min, max };
}

/** Median first, then the spread, as two cells. */
export function cellsOf({ median, min, max }: Figure, digits: number): readonly [string, string] {
  return [median.toFixed(digits), `${min.toFixed(digits)} … ${max.toFixed(digits)}`];
}

/** Where figures were taken. */
export interface Machine {
  readonly node: string;
  readonly platform: string;
  readonly cores: number;
  readonly cpu: string;
}

export function machine(): Machine {
  const cpus = os.cpus();
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cores: cpus.length,
    cpu: cpus[0]?.model ?? "unknown",
  };
}
