import { type Clock, ConnectorError, systemClock } from "@pulsar-ts-io/core";
import { exitCodes } from "./exit-codes.ts";

/** How long a command has to end after the signal, unless it drains. */
const graceMs = 500;

/** The parts of `process` that signals need. */
export interface SignalProcess {
  on(event: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off(event: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  exit(code: number): never;
}

/** The user, or the system, asked the command to stop. */
class StopRequest extends ConnectorError {
  override readonly name = "StopRequest";
  readonly code = "PIO_STOPPED";
  readonly retryable = false;
}

/**
 * Handles SIGINT and SIGTERM of the whole process: the first one aborts {@link signal}, the second one ends the process at once.
 *
 * A command that has not ended half a second after the first one is not waited for: {@link overdue} resolves. Only a drain may take longer.
 */
export class StopSignals {
  readonly #process: SignalProcess;
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  readonly #disposed = new AbortController();
  readonly #onInterrupt = () => this.#receive("SIGINT", exitCodes.interrupted);
  readonly #onTerminate = () => this.#receive("SIGTERM", exitCodes.terminated);
  /** Resolves when the command is not waited for any more. */
  readonly overdue: Promise<void>;
  #abandon: () => void = () => undefined;
  #exitCode: number | undefined;
  #drains = 0;
  #endsWell = false;

  constructor(process: SignalProcess, clock: Clock = systemClock) {
    this.#process = process;
    this.#clock = clock;
    this.overdue = new Promise((resolve) => {
      this.#abandon = resolve;
    });
    process.on("SIGINT", this.#onInterrupt);
    process.on("SIGTERM", this.#onTerminate);
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit code of a command that a signal stopped; `undefined`: none came. */
  get exitCode(): number | undefined {
    return this.#exitCode !== undefined && this.#endsWell ? exitCodes.ok : this.#exitCode;
  }

  /** States whether a stop is how the command is meant to end. Default: it is not. */
  expectStop(expected: boolean): void {
    this.#endsWell = expected;
  }

  /** Lets the command take its own time to stop, until the result is disposed of. */
  drain(): Disposable {
    this.#drains += 1;
    return {
      [Symbol.dispose]: () => {
        this.#drains -= 1;
        if (this.#exitCode !== undefined) this.#startGrace();
      },
    };
  }

  /** Stops for a reason other than a signal. */
  stop(reason: string): void {
    this.#controller.abort(new StopRequest(reason));
  }

  /** Releases the signals. */
  [Symbol.dispose](): void {
    this.#disposed.abort(new Error("the command has ended"));
    this.#process.off("SIGINT", this.#onInterrupt);
    this.#process.off("SIGTERM", this.#onTerminate);
  }

  #receive(name: string, exitCode: number): void {
    if (this.signal.aborted) this.#process.exit(exitCode);
    this.#exitCode = exitCode;
    this.stop(`${name} received`);
    this.#startGrace();
  }

  #startGrace(): void {
    this.#clock.sleep(graceMs, this.#disposed.signal).then(
      () => {
        if (this.#drains === 0) this.#abandon();
      },
      () => undefined,
    );
  }
}
