import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface CommandResult {
  /** The exit code; `undefined` when the command could not be run or a signal ended it. */
  readonly exitCode: number | undefined;
  /** The last lines of both outputs, at most 50. */
  readonly tail: string;
}

export interface CommandOptions {
  readonly signal: AbortSignal;
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly cwd?: string | undefined;
  /** Gets each line of both outputs. */
  readonly onLine?: ((line: string) => void) | undefined;
}

const tailLines = 50;

/** Runs a command to its end; it dies with `signal`, and with this process as its output breaks. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const { signal, onLine } = options;
  signal.throwIfAborted();
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    signal,
    killSignal: "SIGKILL",
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const tail: string[] = [];
  const follow = (stream: NodeJS.ReadableStream) => {
    createInterface({ input: stream }).on("line", (line) => {
      tail.push(line);
      if (tail.length > tailLines) tail.shift();
      onLine?.(line);
    });
  };
  follow(child.stdout);
  follow(child.stderr);
  try {
    await once(child, "close");
  } catch (error) {
    signal.throwIfAborted();
    return { exitCode: undefined, tail: error instanceof Error ? error.message : String(error) };
  }
  signal.throwIfAborted();
  return { exitCode: child.exitCode ?? undefined, tail: tail.join("\n") };
}
