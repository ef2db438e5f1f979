import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../bin/pulsar-ts-io.js", import.meta.url));

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What its system lets it do. */
export interface RealCliLimits {
  /** Blocks of 512 bytes that a file may have. */
  readonly fileBlocks?: number;
  /** Whether its log goes to a disk that is full. */
  readonly fullLog?: boolean;
}

/** The built CLI in a process of its own. Disposing kills it. */
export class RealCli implements AsyncDisposable {
  readonly exited: Promise<ProcessExit>;
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  stdout = "";
  stderr = "";
  #hasExited = false;

  constructor(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    { fileBlocks, fullLog = false }: RealCliLimits = {},
  ) {
    const { PATH = "" } = process.env;
    const limited = `ulimit -f ${fileBlocks ?? "unlimited"}; exec "$@" ${fullLog ? "2>/dev/full" : ""}`;
    this.child = spawn("sh", ["-c", limited, "sh", process.execPath, bin, ...args], {
      env: { PATH, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.child.stdin.on("error", () => undefined); // it need not read it
    this.exited = this.#exit();
  }

  /** Waits until `text` is in one of its outputs. */
  async shows(text: string): Promise<void> {
    while (!(this.stdout.includes(text) || this.stderr.includes(text))) {
      if (this.#hasExited) throw new Error(`ended without showing "${text}": ${this.stdout}${this.stderr}`);
      const { stdout, stderr } = this.child;
      await Promise.race([once(stdout, "data"), once(stderr, "data"), this.exited]);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasExited) this.kill("SIGKILL");
    await this.exited;
  }

  async #exit(): Promise<ProcessExit> {
    const [code, signal] = await once(this.child, "close");
    this.#hasExited = true;
    return { code, signal };
  }
}
