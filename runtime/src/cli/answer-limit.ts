import { type Clock, ConnectorError } from "@pulsar-ts-io/core";

/** A connector's tool did not answer. */
class ToolTimeoutError extends ConnectorError {
  readonly code = "PIO_TOOL_TIMEOUT";
  readonly retryable = true;
}

/**
 * Bounds how long a job waits for its next answer, whatever the job waits for.
 *
 * @see AnswerLimit.run
 */
export class AnswerLimit {
  readonly #clock: Clock;
  readonly #name: string;
  readonly #limitMs: number;
  #last: string | undefined;
  #sinceMs: number;

  /** @param name what must answer. */
  constructor(clock: Clock, name: string, limitMs: number) {
    this.#clock = clock;
    this.#name = name;
    this.#limitMs = limitMs;
    this.#sinceMs = clock.monotonic();
  }

  /** Starts the time again. @param what names the answer that came. */
  answered(what: string): void {
    this.#sinceMs = this.#clock.monotonic();
    this.#last = what;
  }

  /**
   * Runs `job`. Its signal aborts when the time is up, or when `signal` does; it is not waited for then.
   *
   * @throws ToolTimeoutError (`PIO_TOOL_TIMEOUT`), the reason of `signal`, and what `job` throws.
   */
  async run<T>(job: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const stop = new AbortController();
    const ended = new AbortController();
    const stopped = new Promise<never>((_, reject) => {
      stop.signal.addEventListener("abort", () => reject(stop.signal.reason), { once: true });
    });
    const onAbort = () => stop.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    void this.#expire(ended.signal).catch((error: unknown) => stop.abort(error));
    try {
      const work = job(stop.signal);
      work.catch(() => undefined); // not waited for once a limit is reached
      return await Promise.race([work, stopped]);
    } finally {
      signal.removeEventListener("abort", onAbort);
      stopped.catch(() => undefined);
      ended.abort(new Error("the job has ended"));
    }
  }

  async #expire(signal: AbortSignal): Promise<never> {
    for (;;) {
      const leftMs = this.#sinceMs + this.#limitMs - this.#clock.monotonic();
      if (leftMs <= 0) break;
      await this.#clock.sleep(leftMs, signal);
    }
    const after = this.#last === undefined ? "" : ` after ${this.#last}`;
    throw new ToolTimeoutError(`${this.#name} did not answer within ${this.#limitMs / 1_000} s${after}`, {
      remedy: "check the network to the service that the source reads from, then run the command again",
    });
  }
}
