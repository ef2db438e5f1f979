import { writeFile } from "node:fs/promises";
import process from "node:process";

/** What every benchmark can be told. */
interface BenchmarkOptions {
  readonly json: boolean;
  readonly outFile: string | undefined;
}

export interface Benchmark<Options extends BenchmarkOptions, Report> {
  readonly usage: string;
  /** @returns `undefined` when help was asked for. @throws Error that names the option and what it may be. */
  readOptions(args: readonly string[]): Options | undefined;
  measure(options: Options): Promise<Report>;
  /** For people. */
  table(report: Report): string;
  /** What the report shows that must not be, a line each. */
  faults(report: Report, options: Options): readonly string[];
}

/** Runs a benchmark as the command line asks: exit code 2 for wrong options, 1 when it failed or found a fault. */
export async function runBenchmark<Options extends BenchmarkOptions, Report>(
  benchmark: Benchmark<Options, Report>,
): Promise<void> {
  const options = read(benchmark);
  if (options === undefined) return;
  try {
    const report = await benchmark.measure(options);
    const json = `${JSON.stringify(report, null, 2)}\n`;
    if (options.outFile !== undefined) await writeFile(options.outFile, json);
    process.stdout.write(options.json ? json : benchmark.table(report));
    for (const line of benchmark.faults(report, options)) fail(line);
  } catch (error) {
    fail(messageOf(error));
  }
}

function read<Options extends BenchmarkOptions, Report>({
  usage,
  readOptions,
}: Benchmark<Options, Report>): Options | undefined {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options === undefined) process.stdout.write(usage);
    return options;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${usage}`);
    process.exitCode = 2;
    return undefined;
  }
}

function fail(line: string): void {
  process.stderr.write(`error: ${line}\n`);
  process.exitCode = 1;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
