import type { BenchOptions } from "./bench-options.ts";
import type { BenchDocument, BenchRound } from "./document.ts";
import { figureTable } from "./figure-table.ts";
import type { RoundLoad } from "./load.ts";
import type { Round } from "./round.ts";

const rows = [
  { name: "cliCpuMicrosPerRecord", title: "CPU of the CLI, µs a record", digits: 1 },
  { name: "laterCliCpuMicrosPerRecord", title: "the same, second half of the records", digits: 1 },
  { name: "sdkCpuMicrosPerRecord", title: "CPU of the bare AWS SDK, µs a record", digits: 1 },
  { name: "cliToSdk", title: "CLI : bare SDK", digits: 2 },
  { name: "peakResidentMegabytes", title: "peak RSS of the CLI, MB", digits: 0 },
  { name: "startResidentMegabytes", title: "peak RSS before the first read, MB", digits: 0 },
  { name: "recordsPerSecond", title: "records/s", digits: 0 },
  { name: "megabytesPerSecond", title: "MB/s", digits: 2 },
  { name: "cliCoresUsed", title: "cores kept busy by the CLI", digits: 2 },
  { name: "startCpuSeconds", title: "CPU of the CLI before the first read, s", digits: 2 },
  { name: "doubleCpuMicrosPerRecord", title: "CPU of the Kinesis double, µs a record", digits: 1 },
  { name: "brokerCpuMicrosPerRecord", title: "CPU of the broker, µs a record", digits: 1 },
] as const;

export const pipelineRatios = { cliToSdk: ["cliCpuMicrosPerRecord", "sdkCpuMicrosPerRecord"] } as const;

export type PipelineValue = Exclude<(typeof rows)[number]["name"], keyof typeof pipelineRatios>;

interface MeasuredRound {
  readonly round: Round;
  readonly load: RoundLoad;
  /** Of the bare AWS SDK that reads the same records. */
  readonly sdk: { readonly cpuSeconds: number; readonly load: RoundLoad } | undefined;
}

export function pipelineRound(
  { round, load, sdk }: MeasuredRound,
  { records, sizeBytes }: Pick<BenchOptions, "records" | "sizeBytes">,
): BenchRound<PipelineValue> {
  const micros = (seconds: number) => (seconds * 1e6) / records;
  const later = round.laterCpuMicrosPerRecord;
  return {
    loads: { cli: load, ...(sdk === undefined ? {} : { sdk: sdk.load }) },
    values: {
      cliCpuMicrosPerRecord: micros(round.cliCpuSeconds),
      ...(later === undefined ? {} : { laterCliCpuMicrosPerRecord: later }),
      ...(sdk === undefined ? {} : { sdkCpuMicrosPerRecord: micros(sdk.cpuSeconds) }),
      peakResidentMegabytes: round.peakResidentBytes / 1e6,
      startResidentMegabytes: round.startResidentBytes / 1e6,
      recordsPerSecond: records / round.wallSeconds,
      megabytesPerSecond: (records * sizeBytes) / 1e6 / round.wallSeconds,
      cliCoresUsed: round.cliCpuSeconds / round.wallSeconds,
      startCpuSeconds: round.startCpuSeconds,
      doubleCpuMicrosPerRecord: micros(round.doubleCpuSeconds),
      ...(round.brokerCpuSeconds === undefined
        ? {}
        : { brokerCpuMicrosPerRecord: micros(round.brokerCpuSeconds) }),
    },
    series: round.series,
  };
}

/** For people: one line for each figure, median first, then the spread. */
export function pipelineTable(
  document: BenchDocument,
  { records, sizeBytes, shards, fanOut, toConsole, profileFolder }: BenchOptions,
): string {
  const way = `${fanOut ? "fan-out" : "polling"} to ${toConsole ? "console" : "pulsar"}`;
  const title = `${records} records of ${sizeBytes} bytes, ${shards} shards, by ${way}, ${document.rounds.length} rounds`;
  const warning = "  with the CPU profiler on: no figures to compare with\n";
  return figureTable(title, rows, document) + (profileFolder === undefined ? "" : warning);
}
