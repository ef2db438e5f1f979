import type { WarningProcess } from "../logging/process-warnings.ts";
import type { ExitProcess } from "../supervise/fork-child.ts";
import type { Environment } from "./client-conf.ts";
import type { CommandInput } from "./input.ts";
import type { JsonOutput } from "./json-output.ts";
import type { SignalProcess, StopSignals } from "./stop-signals.ts";
import type { Terminal, TerminalStream } from "./terminal.ts";

/** The process, as much of it as the CLI needs. */
export interface CliProcess extends SignalProcess, WarningProcess, ExitProcess {
  on(event: "SIGINT" | "SIGTERM" | "exit", listener: () => void): unknown;
  on(event: "warning", listener: (warning: Error) => void): unknown;
  off(event: "SIGINT" | "SIGTERM" | "exit", listener: () => void): unknown;
  /** As Node has it. */
  getActiveResourcesInfo?(): readonly string[];
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
}

/** What a command may use of the process it runs in. */
export interface CliHost {
  readonly process: WarningProcess & ExitProcess & Pick<CliProcess, "stdout">;
  /** The user's signals. */
  readonly stop: StopSignals;
  readonly env: Environment;
  readonly input: CommandInput;
  readonly terminal: Terminal;
  readonly json: JsonOutput;
  /** Flags whose values were hidden from the process list. */
  readonly hiddenFlags: readonly string[];
  /** Ends the process with a code when its event loop is blocked for so many milliseconds, a minute at most; absent: nothing watches it. */
  readonly watchLoop?: ((stallTimeoutMs: number, exitCode: number) => Disposable) | undefined;
}
