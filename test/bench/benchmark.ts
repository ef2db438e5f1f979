import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { type BenchDocument, circumstancesLine, documentOf, type Measurement } from "./document.ts";
import type { CommonOptions } from "./options.ts";

export interface Benchmark<Options extends CommonOptions, Name extends string> {
  readonly benchmark: string;
  readonly usage: string;
  /** @returns `undefined` when help was asked for. @throws Error that names the option and what it may be. */
  readOptions(args: readonly string[]): Options | undefined;
  measure(options: Options): Promise<Measurement<Name>>;
  /** For people. */
  table(document: BenchDocument<Name>, options: Options): string;
  /** What the document shows that must not be, a line each. */
  faults?(document: BenchDocument<Name>, options: Options): readonly string[];
}

/** Ratios of rounds under different load mean nothing. */
const notComparedCode = 3;

/**
 * Runs a benchmark as the command line asks. Exit code 2 for wrong options, 1 when it failed or found a fault, 3 when its rounds
 * cannot be compared.
 */
export async function runBenchmark<Options extends CommonOptions, Name extends string>(
  benchmark: Benchmark<Options, Name>,
): Promise<void> {
  const options = read(benchmark);
  if (options === undefined) return;
  try {
    const document = documentOf(await benchmark.measure(options), circumstancesOf(benchmark, options));
    await write(document, options);
    const text = `${benchmark.table(document, options)}${circumstancesLine(document)}\n`;
    process.stdout.write(options.json ? jsonOf(document) : text);
    const { refused } = document.load;
    if (refused !== null) {
      const remedy = "run it on a quiet machine, or with --any-load";
      fail(`the rounds were not compared: ${refused}\n${remedy}`, notComparedCode);
    }
    for (const line of benchmark.faults?.(document, options) ?? []) fail(line, 1);
  } catch (error) {
    fail(messageOf(error), 1);
  }
}

/** Short enough to be kept in a repository. */
export function jsonOf(document: BenchDocument): string {
  const brief = (_key: string, value: unknown) =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
  const text = JSON.stringify(document, brief, 2);
  // One line for each pair of a series.
  return `${text.replaceAll(/\[\s+(-?[\d.e+-]+),\s+(-?[\d.e+-]+)\s+\]/g, "[$1, $2]")}\n`;
}

function circumstancesOf<Options extends CommonOptions, Name extends string>(
  { benchmark }: Benchmark<Options, Name>,
  { json: _json, outFile: _out, saveFolder: _save, name = benchmark, anyLoad, ...options }: Options,
) {
  return { benchmark, name, anyLoad, options };
}

async function write(document: BenchDocument, { outFile, saveFolder }: CommonOptions): Promise<void> {
  if (outFile !== undefined) await writeFile(outFile, jsonOf(document));
  if (saveFolder === undefined) return;
  await mkdir(saveFolder, { recursive: true });
  await writeFile(join(saveFolder, `${document.name}.json`), jsonOf(document));
}

function read<Options extends CommonOptions, Name extends string>({
  usage,
  readOptions,
}: Benchmark<Options, Name>): Options | undefined {
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

function fail(line: string, code: number): void {
  process.stderr.write(`error: ${line}\n`);
  // A fault outranks rounds that were not compared.
  process.exitCode = process.exitCode === 1 ? 1 : code;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
