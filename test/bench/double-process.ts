import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("../../packages/testkit/bin/kinesis-double.ts", import.meta.url));

/** The programmable Kinesis in a process of its own, so that its CPU time is not the CLI's. Disposing ends it. */
export class DoubleProcess implements AsyncDisposable {
  readonly endpoint: string;
  readonly pid: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, endpoint: string, pid: number) {
    this.#child = child;
    this.endpoint = endpoint;
    this.pid = pid;
  }

  static async start(): Promise<DoubleProcess> {
    const child = spawn(
      process.execPath,
      ["--import", "tsx", "--conditions=@pulsar-ts-io/source", "--max-old-space-size=8192", file],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    for await (const line of createInterface({ input: child.stdout })) {
      const { endpoint, pid } = JSON.parse(line) as { endpoint: string; pid: number }; // the double's one line
      return new DoubleProcess(child, endpoint, pid);
    }
    throw new Error("the programmable Kinesis ended before it was ready");
  }

  /** How often an operation was called so far. */
  async calls(operation: string): Promise<number> {
    const response = await fetch(`${this.endpoint}/_double/calls`);
    const counts = (await response.json()) as Record<string, number>; // as its documentation says
    return counts[operation] ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.stdin?.end();
    await ended;
  }
}
