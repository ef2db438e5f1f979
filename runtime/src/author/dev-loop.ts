import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm, watch } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { codeOf } from "@pulsar-ts-io/core";

/** Where the words of the loop and of its processes go. */
export interface DevOutput {
  out(text: string): void;
  err(text: string): void;
}

export interface DevOptions {
  /** The connector's directory, absolute. */
  readonly directory: string;
  /** Arguments of `run` that give the config. */
  readonly config: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called when a run starts, which has a drain of its own; disposed of when it has ended. */
  readonly drain: () => Disposable;
}

/** What a build writes, and what is no part of the connector. */
const unwatched = new Set(["node_modules", "dist", ".git", "schemas", "generated"]);
/** An editor writes a file in several steps. */
const settleMs = 150;
/** How long a build may go on after it was asked to end. */
const buildStopMs = 300;
const bin = fileURLToPath(new URL("../../bin/pulsar-ts-io.js", import.meta.url));
/** The file of a connector's directory that holds the config for trying it out. */
const devConfigName = "dev-config.yaml";

/**
 * Builds the connector and runs it with its records on the console, and does both again after each change of its files, until
 * `signal` aborts. A build that fails is shown, and the next change waited for.
 */
export async function runDevLoop(options: DevOptions, output: DevOutput, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const round = new AbortController();
    const changed = nextChange(options.directory, AbortSignal.any([signal, round.signal]));
    changed.catch(() => undefined); // thrown below, but not before the build has ended
    try {
      if (await build(options, output, signal)) await runUntil(changed, options, output);
      else await changed;
    } finally {
      round.abort(new Error("the round has ended"));
    }
  }
}

/** Resolves when a file of the connector was changed, or `signal` aborts. */
async function nextChange(directory: string, signal: AbortSignal): Promise<void> {
  const changed = new AbortController();
  const ended = AbortSignal.any([signal, changed.signal]);
  // Not all of it at once: what is installed is a watch for each of thousands of files, and systems allow few.
  const folders = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !unwatched.has(entry.name))
    .map(({ name }) => join(directory, name));
  const watches = [
    nextChangeIn(directory, { signal: ended }),
    ...folders.map((folder) => nextChangeIn(folder, { recursive: true, signal: ended })),
  ];
  try {
    await Promise.race(watches);
  } finally {
    changed.abort(new Error("something was changed"));
  }
}

async function nextChangeIn(
  directory: string,
  options: { readonly recursive?: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { signal } = options;
  try {
    for await (const { filename } of watch(directory, options)) {
      const parts = (filename ?? "").split(sep);
      if (parts.some((part) => unwatched.has(part))) continue;
      await delay(settleMs, undefined, { signal });
      return;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** @returns whether there is something to run; not when `signal` ended the build. */
async function build(
  { directory, env }: DevOptions,
  output: DevOutput,
  signal: AbortSignal,
): Promise<boolean> {
  output.err("building …\n");
  const windows = process.platform === "win32";
  const child = spawn("npm", ["run", "--silent", "--if-present", "build"], {
    cwd: directory,
    env,
    shell: windows, // npm is a script there
    detached: !windows,
  });
  const kill = () => endAll(child, "SIGKILL");
  let killing: NodeJS.Timeout | undefined;
  const end = () => {
    endAll(child, "SIGTERM");
    killing = setTimeout(kill, buildStopMs);
  };
  signal.addEventListener("abort", end, { once: true });
  process.on("exit", kill);
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const [code] = await once(child, "close");
  signal.removeEventListener("abort", end);
  process.off("exit", kill);
  clearTimeout(killing);
  if (signal.aborted) return false;
  if (code === 0) return true;
  output.err(`${said}the build failed, waiting for a change\n`);
  return false;
}

/** What npm runs, too: it would go on, and keep what it writes to open. */
function endAll(child: ChildProcess, by: NodeJS.Signals): void {
  const { pid } = child;
  if (pid === undefined || process.platform === "win32") {
    child.kill(by);
    return;
  }
  try {
    process.kill(-pid, by);
  } catch (error) {
    if (codeOf(error) !== "ESRCH") throw error; // it has just ended
  }
}

/** Each run has a state of its own: what is tried out begins anew. */
async function runUntil(changed: Promise<void>, options: DevOptions, output: DevOutput): Promise<void> {
  const state = await mkdtemp(join(tmpdir(), "pulsar-ts-io-dev-"));
  try {
    await runWith(["--state-store", `file:${state}`], changed, options, output);
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

async function runWith(
  state: readonly string[],
  changed: Promise<void>,
  options: DevOptions,
  output: DevOutput,
): Promise<void> {
  const { directory, config, env } = options;
  const where = ["--connector", directory, "--output", "console"];
  const args = [bin, "run", ...where, ...state, ...configOf(directory, config)];
  using _drain = options.drain();
  const child = spawn(process.execPath, args, {
    cwd: directory,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    // A terminal sends its signal to the whole group. A second one would end the run without its drain.
    detached: process.platform !== "win32",
  });
  const kill = () => endAll(child, "SIGKILL");
  process.on("exit", kill);
  child.stdout.setEncoding("utf8").on("data", (text: string) => output.out(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => output.err(text));
  const exited = once(child, "close");
  const ended = await Promise.race([changed.then(() => false), exited.then(() => true)]);
  if (ended) {
    output.err("the source has ended, waiting for a change\n");
    await changed;
  }
  await stopped(child, exited);
  process.off("exit", kill);
}

async function stopped(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
  await exited;
}

function configOf(directory: string, given: readonly string[]): readonly string[] {
  if (given.length > 0) return given;
  const usual = join(directory, devConfigName);
  return existsSync(usual) ? ["--source-config-file", usual] : [];
}
