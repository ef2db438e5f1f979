import type { BenchOptions } from "./bench-options.ts";
import { shardCount } from "./bench-stream.ts";
import { cellsOf, type Figure, figure, type Machine, machine } from "./figure.ts";
import type { Round } from "./round.ts";

export interface MeasuredRound extends Round {
  /** Of the bare AWS SDK, reading the same records. */
  readonly sdkCpuSeconds: number;
}

/** The JSON document. Names carry their units; `figures` are per record where they say so. */
export interface BenchReport {
  readonly benchmark: "pipeline";
  readonly at: string;
  readonly machine: Machine;
  readonly options: {
    readonly records: number;
    readonly recordBytes: number;
    readonly shards: number;
    readonly receiveQueueSize: number;
    readonly reading: "polling" | "fan-out";
    readonly output: "pulsar" | "console";
    readonly profiled: boolean;
  };
  /** `undefined` where no round has the value. */
  readonly figures: Readonly<Record<FigureName, Figure | undefined>>;
  readonly rounds: readonly MeasuredRound[];
}

export type FigureName = (typeof rows)[number]["name"];

interface Row {
  readonly name: string;
  readonly title: string;
  readonly digits: number;
  /** @param records of the round. */
  readonly of: (round: MeasuredRound, records: number, bytes: number) => number | undefined;
}

const rows = [
  {
    name: "cliCpuMicrosPerRecord",
    title: "CPU of the CLI, µs a record",
    digits: 1,
    of: (round, records) => (round.cliCpuSeconds * 1e6) / records,
  },
  {
    name: "sdkCpuMicrosPerRecord",
    title: "CPU of the bare AWS SDK, µs a record",
    digits: 1,
    of: (round, records) => (round.sdkCpuSeconds * 1e6) / records,
  },
  {
    name: "cliToSdkRatio",
    title: "CLI : bare SDK",
    digits: 2,
    of: (round) => round.cliCpuSeconds / round.sdkCpuSeconds,
  },
  {
    name: "peakResidentMegabytes",
    title: "peak RSS of the CLI, MB",
    digits: 0,
    of: (round) => round.peakResidentBytes / 1e6,
  },
  {
    name: "startResidentMegabytes",
    title: "peak RSS before the first read, MB",
    digits: 0,
    of: (round) => round.startResidentBytes / 1e6,
  },
  {
    name: "recordsPerSecond",
    title: "records/s",
    digits: 0,
    of: (round, records) => records / round.wallSeconds,
  },
  {
    name: "megabytesPerSecond",
    title: "MB/s",
    digits: 2,
    of: (round, records, bytes) => (records * bytes) / 1e6 / round.wallSeconds,
  },
  {
    name: "cliCoresUsed",
    title: "cores kept busy by the CLI",
    digits: 2,
    of: (round) => round.cliCpuSeconds / round.wallSeconds,
  },
  {
    name: "startCpuSeconds",
    title: "CPU of the CLI before the first read, s",
    digits: 2,
    of: (round) => round.startCpuSeconds,
  },
  {
    name: "doubleCpuMicrosPerRecord",
    title: "CPU of the Kinesis double, µs a record",
    digits: 1,
    of: (round, records) => (round.doubleCpuSeconds * 1e6) / records,
  },
  {
    name: "brokerCpuMicrosPerRecord",
    title: "CPU of the broker, µs a record",
    digits: 1,
    of: (round, records) =>
      round.brokerCpuSeconds === undefined ? undefined : (round.brokerCpuSeconds * 1e6) / records,
  },
] as const satisfies readonly Row[];

export function summarise(options: BenchOptions, rounds: readonly MeasuredRound[]): BenchReport {
  const { records, sizeBytes } = options;
  const figures = rows.map(({ name, of }) => [
    name,
    figure(rounds.map((one) => of(one, records, sizeBytes))),
  ]);
  return {
    benchmark: "pipeline",
    at: new Date().toISOString(),
    machine: machine(),
    options: {
      records,
      recordBytes: sizeBytes,
      shards: shardCount,
      receiveQueueSize: options.receiveQueueSize,
      reading: options.fanOut ? "fan-out" : "polling",
      output: options.toConsole ? "console" : "pulsar",
      profiled: options.profileFolder !== undefined,
    },
    figures: Object.fromEntries(figures) as BenchReport["figures"], // one entry for each row
    rounds,
  };
}

/** For people: one line for each figure, median first, then the spread. */
export function table({ figures, options, rounds }: BenchReport): string {
  const { records, recordBytes, shards, reading, output } = options;
  const lines = rows.map(({ name, title, digits }) => {
    const found = figures[name];
    const cells = found === undefined ? ["-", ""] : cellsOf(found, digits);
    return `  ${title.padEnd(42)}${cells[0].padStart(9)}${cells[1].padStart(20)}`;
  });
  return [
    `${records} records of ${recordBytes} bytes, ${shards} shards, by ${reading} to ${output}, ${rounds.length} rounds`,
    `  ${"".padEnd(42)}${"median".padStart(9)}${"min … max".padStart(20)}`,
    ...lines,
    ...(options.profiled ? ["  with the CPU profiler on: no figures to compare with"] : []),
    "",
  ].join("\n");
}
