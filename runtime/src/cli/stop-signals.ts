import { exitCodes } from "./exit-codes.ts";

/** The parts of `process` that signals need. */
export interface SignalProcess {
  on(event: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off(event: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  exit(code: number): never;
}

/** Told to stop, by whatever the reason says. */
class StopRequest extends Error {
  override readonly name = "StopRequest";
}

/** Turns the first SIGINT or SIGTERM into an abort, and lets the second end the process at once. */
export class StopSignals {
  readonly #process: SignalProcess;
  readonly #controller = new AbortController();
  readonly #onInterrupt = () => this.#receive("SIGINT", exitCodes.interrupted);
  readonly #onTerminate = () => this.#receive("SIGTERM", exitCodes.terminated);

  constructor(process: SignalProcess) {
    this.#process = process;
    process.on("SIGINT", this.#onInterrupt);
    process.on("SIGTERM", this.#onTerminate);
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Stops for a reason other than a signal. */
  stop(reason: string): void {
    this.#controller.abort(new StopRequest(reason));
  }

  /** Gives the signals back. */
  [Symbol.dispose](): void {
    this.#process.off("SIGINT", this.#onInterrupt);
    this.#process.off("SIGTERM", this.#onTerminate);
  }

  #receive(name: string, exitCode: number): void {
    if (this.signal.aborted) this.#process.exit(exitCode);
    this.stop(`${name} received`);
  }
}
