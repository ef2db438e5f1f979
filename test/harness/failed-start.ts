import { readdir, readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { uniqueName } from "../stack.ts";
import { Cli, type CliOptions } from "./cli.ts";

/** For a start that finds out by itself, or is refused at the first request: 1 to 2 s, and ten on a busy machine. */
export const definiteMs = 20_000;
/** For a start that tries again for a while because an address does not answer: 10 s more at most. */
export const unreachableMs = 30_000;

export interface FailedStartOptions extends CliOptions {
  /** The longest it may take, milliseconds; default {@link definiteMs}. */
  readonly withinMs?: number;
  /** Texts that must show nowhere: in neither output, nor in the process list. */
  readonly secrets?: readonly string[];
}

/** What a start that failed told its user. */
export interface FailedStart {
  readonly exitCode: number | null;
  /** `PIO_…` */
  readonly code: string;
  /** What follows `error: `, without the code. */
  readonly error: string;
  /** The lines below it: one for each problem, when a config has several. */
  readonly problems: readonly string[];
  /** What follows `remedy: `. */
  readonly remedy: string;
  /** The log that came before. */
  readonly log: readonly string[];
}

/**
 * Runs the real CLI to its end, and checks what every failed start owes its user: nothing on standard output; on standard error
 * log lines and then one error with its code and one remedy, with no stack; an end in time; no process left.
 */
export async function failedStart(
  args: readonly string[],
  options: FailedStartOptions = {},
): Promise<FailedStart> {
  const { withinMs = definiteMs, secrets = [], env } = options;
  using _turn = await processors.take();
  const mark = uniqueName("start");
  await using cli = new Cli(args, { ...options, env: { ...env, PIO_TEST_MARK: mark } });
  const watched = process.platform === "linux" ? watchCommandLine(cli, secrets) : undefined;
  const { code: exitCode, signal } = await Promise.race([
    cli.exited,
    delay(withinMs, { code: "still running", signal: null } as const, { ref: false }),
  ]);
  if (exitCode === "still running") throw new Error(`still running after ${withinMs} ms: ${cli.output}`);
  await watched;
  expect(signal, cli.output).toBeNull();
  expect(cli.stdout).toEqual([]);
  for (const secret of secrets) expect(cli.output).not.toContain(secret);
  expect(await processesMarked(mark)).toEqual([]);
  return { exitCode, ...readReport(cli.stderr) };
}

/** As many starts at a time as there are processors: more of them would only slow each other down. */
class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  /** Waits for a turn; disposing of it lets the next one have it. */
  async take(): Promise<Disposable> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return {
      [Symbol.dispose]: () => {
        const next = this.#waiting.shift();
        if (next === undefined) this.#free += 1;
        else next();
      },
    };
  }
}

const processors = new Turns(availableParallelism());

/** The two lines of `docs/exit-codes.md`, with the problems of a config between them, after the log. */
function readReport(stderr: readonly string[]): Omit<FailedStart, "exitCode"> {
  const at = stderr.findIndex((line) => !line.startsWith("{"));
  const [head = "", ...below] = at < 0 ? [] : stderr.slice(at);
  const last = below.pop() ?? "";
  const shown = stderr.join("\n");
  const [, error = "", code = ""] = /^error: (.+) \[(PIO_[A-Z_]+)\]$/.exec(head) ?? [];
  expect(error, shown).not.toBe("");
  expect(last, shown).toMatch(/^remedy: \S/);
  for (const line of below) expect(line, shown).toMatch(/^ {2}- /);
  const problems = below.map((line) => line.slice("  - ".length));
  const log = at < 0 ? stderr : stderr.slice(0, at);
  return { code, error, problems, remedy: last.slice("remedy: ".length), log };
}

/** Looks at the process list as long as the process is in it. */
async function watchCommandLine(cli: Cli, secrets: readonly string[]): Promise<void> {
  while (secrets.length > 0 && cli.running) {
    const line = await readFile(`/proc/${cli.pid}/cmdline`, "utf8").catch(() => "");
    for (const secret of secrets) expect(line).not.toContain(secret);
    await delay(20);
  }
}

/** Ids of the processes that were started with `mark` in their environment, children of children too. Linux only. */
async function processesMarked(mark: string): Promise<readonly string[]> {
  if (process.platform !== "linux") return [];
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const marked = ids.map(async (id) => {
    const environment = await readFile(`/proc/${id}/environ`, "utf8").catch(() => "");
    return environment.includes(mark) ? [id] : [];
  });
  return (await Promise.all(marked)).flat();
}
