import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const defaultBin =
  process.env["PULSAR_TS_IO_BIN"] ??
  fileURLToPath(new URL("../../runtime/bin/pulsar-ts-io.js", import.meta.url));

export interface CliOptions {
  /** The file to start; default the workspace's CLI, or the one that PULSAR_TS_IO_BIN names. */
  readonly bin?: string | undefined;
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  /** Gets each line of standard error as it comes, besides {@link Cli.stderr}. */
  readonly onStderr?: (line: string) => void;
  /** Options of Node itself, such as `--cpu-prof`. */
  readonly nodeArgs?: readonly string[];
  /** Sends standard output to /dev/null: {@link Cli.stdout} stays empty. */
  readonly discardStdout?: boolean;
}

export interface CliExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The real CLI in a process of its own, as users start it. Disposing kills it. */
export class Cli implements AsyncDisposable {
  /** Milliseconds since the epoch. */
  readonly startedAt: number = Date.now();
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly exited: Promise<CliExit>;
  readonly #child: ChildProcess;
  #hasExited = false;

  constructor(args: readonly string[], options: CliOptions = {}) {
    this.#child = spawn(process.execPath, [...(options.nodeArgs ?? []), options.bin ?? defaultBin, ...args], {
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...awsTestCredentials, ...options.env },
      stdio: ["pipe", options.discardStdout === true ? "ignore" : "pipe", "pipe"],
    });
    this.exited = this.#collect(options.onStderr ?? (() => {}));
    this.#child.stdin?.on("error", () => {}); // a CLI that ends before it has read its input breaks the pipe
    this.#child.stdin?.end(options.stdin ?? "");
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("the CLI did not start");
    return this.#child.pid;
  }

  get running(): boolean {
    return !this.#hasExited;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends SIGTERM and waits for the end: the clean stop. */
  async stop(): Promise<CliExit> {
    this.kill("SIGTERM");
    return await this.exited;
  }

  /** SIGKILL, and the end of the process. */
  async crash(): Promise<CliExit> {
    this.kill("SIGKILL");
    return await this.exited;
  }

  /** Both outputs, for messages of failed expectations. */
  get output(): string {
    return [...this.stdout, ...this.stderr].join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) await this.crash();
  }

  async #collect(onStderr: (line: string) => void): Promise<CliExit> {
    const { stdout, stderr } = this.#child;
    if (stderr === null) throw new Error("the CLI was started without pipes");
    const closed = once(this.#child, "close") as Promise<[number | null, NodeJS.Signals | null]>; // by Node's documentation
    if (stdout !== null) createInterface({ input: stdout }).on("line", (line) => this.stdout.push(line));
    createInterface({ input: stderr }).on("line", (line) => {
      this.stderr.push(line);
      onStderr(line);
    });
    const [code, signal] = await closed;
    this.#hasExited = true;
    return { code, signal };
  }
}

/** Runs the CLI to its end. */
export async function runCli(
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliExit & { readonly stdout: string; readonly stderr: string }> {
  await using cli = new Cli(args, options);
  const exit = await cli.exited;
  return { ...exit, stdout: cli.stdout.join("\n"), stderr: cli.stderr.join("\n") };
}

/** Any credentials do for the emulators; they are found by the default provider chain. */
export const awsTestCredentials: NodeJS.ProcessEnv = {
  AWS_ACCESS_KEY_ID: "test",
  AWS_SECRET_ACCESS_KEY: "test",
  AWS_EC2_METADATA_DISABLED: "true",
};
