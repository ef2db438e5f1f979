import type { Environment } from "./client-conf.ts";
import type { CommandInput } from "./input.ts";
import type { SignalProcess } from "./stop-signals.ts";
import type { Terminal, TerminalStream } from "./terminal.ts";

/** The process, as much of it as the CLI needs. */
export interface CliProcess extends SignalProcess {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
}

/** What a command may use of the process it runs in. */
export interface CliHost {
  readonly process: SignalProcess & Pick<CliProcess, "stdout">;
  readonly env: Environment;
  readonly input: CommandInput;
  readonly terminal: Terminal;
  /** Flags whose values were hidden from the process list. */
  readonly hiddenFlags: readonly string[];
}
