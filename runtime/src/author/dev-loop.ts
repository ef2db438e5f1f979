import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, watch } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

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
}

/** What a build writes, and what is no part of the connector. */
const unwatched = new Set(["node_modules", "dist", ".git", "schemas", "generated"]);
/** An editor writes a file in several steps. */
const settleMs = 150;
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
    try {
      if ((await build(options, output)) && !signal.aborted) await runUntil(changed, options, output);
      else await changed;
    } finally {
      round.abort(new Error("the round has ended"));
    }
  }
}

/** Resolves when a file of the connector was changed, or `signal` aborts. */
async function nextChange(directory: string, signal: AbortSignal): Promise<void> {
  try {
    for await (const { filename } of watch(directory, { recursive: true, signal })) {
      const parts = (filename ?? "").split(sep);
      if (parts.some((part) => unwatched.has(part))) continue;
      await delay(settleMs, undefined, { signal });
      return;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function build({ directory, env }: DevOptions, output: DevOutput): Promise<boolean> {
  output.err("building …\n");
  const shell = process.platform === "win32"; // npm is a script there
  const child = spawn("npm", ["run", "--silent", "--if-present", "build"], { cwd: directory, env, shell });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const [code] = await once(child, "close");
  if (code === 0) return true;
  output.err(`${said}the build failed, waiting for a change\n`);
  return false;
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
  const child = spawn(process.execPath, args, { cwd: directory, env, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.setEncoding("utf8").on("data", (text: string) => output.out(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => output.err(text));
  const exited = once(child, "close");
  const ended = await Promise.race([changed.then(() => false), exited.then(() => true)]);
  if (ended) {
    output.err("the source has ended, waiting for a change\n");
    await changed;
  }
  await stopped(child, exited);
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
