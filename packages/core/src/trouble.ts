import type { Clock } from "./clock.ts";
import { codeOf, remedyOf, toError } from "./errors.ts";
import type { Logger } from "./logger.ts";

/** How long a trouble lasts before it counts as a failure of the source, milliseconds. A retry usually helps sooner. */
const lastingMs = 10_000;
/** How long after its last failure an outage that nobody tries any more is continued by another failure, milliseconds. */
const sameOutageMs = 30_000;
/** How far the wall clock may be off the monotonic one before it was set, milliseconds. */
const toleratedDriftMs = 1_000;
/** Time between two log lines about a failure that lasts, milliseconds. */
const reminderMs = 600_000;

/** One thing that fails and is retried. Plain data: it travels between processes and is shown to operators. */
export interface Trouble {
  /** What fails, as a noun phrase with few values: metrics use it as a label. Such as `topic lookup`. */
  readonly what: string;
  /** When it began to fail, milliseconds since the epoch. */
  readonly sinceMs: number;
  /** When an attempt failed last, milliseconds since the epoch. */
  readonly lastMs: number;
  /** Failed attempts since it began, 1 or more. */
  readonly failures: number;
  /** How many parts of the source fail in this way, such as partitions or producers; 1 or more. */
  readonly affected: number;
  /** The code of the last failure, where it has one. */
  readonly code: string | undefined;
  /** The message of the last failure. */
  readonly message: string;
  /** What the operator can do about the last failure. */
  readonly remedy: string | undefined;
  /** Whether no record moves from the source to Pulsar while it lasts. */
  readonly blocking: boolean;
}

export interface OutageOptions {
  /**
   * Whether no record moves while this fails; default true.
   *
   * A function decides at each look from the number of parts that fail: one partition of many blocks nothing.
   */
  readonly blocking?: boolean | ((affected: number) => boolean);
}

/** One kind of call that may fail and is retried, by one part of the source or by many. */
export interface Outage {
  /** An attempt of `key` failed and is retried. Logs when the first key fails, and again every ten minutes. */
  failed(key: string, error: unknown): void;
  /** An attempt of `key` succeeded. The trouble ends, with a log line, when no other key fails. Cheap when nothing fails. */
  recovered(key: string): void;
  /** `key` stops trying, whatever became of it. The trouble ends when no other key fails. */
  left(key: string): void;
}

/** Where the parts of a source report what fails and is retried. */
export interface Troubles {
  /** The outage of that name; asked twice, the same. `options` count at the first call. */
  of(what: string, options?: OutageOptions): Outage;
}

export interface TroubleLogOptions {
  readonly clock: Pick<Clock, "now" | "monotonic">;
  readonly logger: Logger;
}

/**
 * Keeps what fails and is retried, and logs each change of state once.
 *
 * Logs, status, readiness, metrics and alerts are views of {@link current}.
 */
export class TroubleLog implements Troubles {
  readonly #options: TroubleLogOptions;
  readonly #outages = new Map<string, LoggedOutage>();
  #onLasting: (error: Error) => void = () => {};

  constructor(options: TroubleLogOptions) {
    this.#options = options;
  }

  /** Calls `listener` once for each trouble that has lasted 10 s, at its next failure. It replaces the listener before it. */
  whenLasting(listener: (error: Error) => void): void {
    this.#onLasting = listener;
  }

  of(what: string, options: OutageOptions = {}): Outage {
    let outage = this.#outages.get(what);
    if (outage === undefined) {
      outage = new LoggedOutage(what, options.blocking ?? true, {
        ...this.#options,
        onLasting: (error) => this.#onLasting(error),
      });
      this.#outages.set(what, outage);
    }
    return outage;
  }

  /** Everything that fails now, the oldest first. */
  current(): readonly Trouble[] {
    const troubles = [...this.#outages.values()].flatMap((outage) => outage.current() ?? []);
    return troubles.sort((one, other) => one.sinceMs - other.sinceMs);
  }
}

interface LoggedOutageOptions extends TroubleLogOptions {
  readonly onLasting: (error: Error) => void;
}

interface Failing {
  readonly sinceMs: number;
  /** By the monotonic clock, as the next two. */
  readonly startedMs: number;
  loggedMs: number;
  failedMs: number;
  lastMs: number;
  failures: number;
  lasting: boolean;
  error: Error;
}

class LoggedOutage implements Outage {
  readonly #what: string;
  readonly #blocking: boolean | ((affected: number) => boolean);
  readonly #options: LoggedOutageOptions;
  readonly #keys = new Set<string>();
  #failing: Failing | undefined;

  constructor(
    what: string,
    blocking: boolean | ((affected: number) => boolean),
    options: LoggedOutageOptions,
  ) {
    this.#what = what;
    this.#blocking = blocking;
    this.#options = options;
  }

  failed(key: string, thrown: unknown): void {
    const { clock, logger } = this.#options;
    const error = toError(thrown);
    const nowMs = clock.now();
    const monotonicMs = clock.monotonic();
    const isOver = this.#keys.size === 0 && monotonicMs - (this.#failing?.failedMs ?? 0) > sameOutageMs;
    this.#keys.add(key);
    if (this.#failing === undefined || isOver) {
      this.#failing = {
        sinceMs: nowMs,
        startedMs: monotonicMs,
        loggedMs: monotonicMs,
        failedMs: monotonicMs,
        lastMs: nowMs,
        failures: 1,
        lasting: false,
        error,
      };
      logger.warn({ err: error, code: codeOf(error), key }, `${this.#what} failing, retrying`);
      return;
    }
    const failing = this.#failing;
    failing.lastMs = nowMs;
    failing.failedMs = monotonicMs;
    failing.failures += 1;
    failing.error = error;
    if (monotonicMs - failing.loggedMs >= reminderMs) {
      failing.loggedMs = monotonicMs;
      const { failures } = failing;
      const forSeconds = Math.round((monotonicMs - failing.startedMs) / 1_000);
      logger.warn(
        { err: error, code: codeOf(error), failures, forSeconds, affected: this.#keys.size },
        `${this.#what} still failing, retrying`,
      );
    }
    if (failing.lasting || monotonicMs - failing.startedMs < lastingMs) return;
    failing.lasting = true;
    this.#options.onLasting(error);
  }

  recovered(key: string): void {
    if (this.#keys.size === 0 || !this.#keys.delete(key) || this.#keys.size > 0) return;
    const { clock, logger } = this.#options;
    const { failures, startedMs } = this.#failing ?? { failures: 0, startedMs: clock.monotonic() };
    const forSeconds = Math.round((clock.monotonic() - startedMs) / 1_000);
    this.#failing = undefined;
    logger.info({ failures, forSeconds }, `${this.#what} recovered`);
  }

  left(key: string): void {
    this.#keys.delete(key);
  }

  current(): Trouble | undefined {
    if (this.#failing === undefined || this.#keys.size === 0) return undefined;
    const { failures, error } = this.#failing;
    const { sinceMs, lastMs } = this.#times(this.#failing);
    const affected = this.#keys.size;
    return {
      what: this.#what,
      sinceMs,
      lastMs,
      failures,
      affected,
      code: codeOf(error),
      message: error.message,
      remedy: remedyOf(error),
      blocking: typeof this.#blocking === "function" ? this.#blocking(affected) : this.#blocking,
    };
  }

  /** When it began and last failed, by the wall clock as it is now: it may have been set since. */
  #times({ sinceMs, startedMs, lastMs, failedMs }: Failing): Pick<Trouble, "sinceMs" | "lastMs"> {
    const { clock } = this.#options;
    const aheadMs = clock.now() - clock.monotonic();
    const isSet = Math.abs(sinceMs - startedMs - aheadMs) > toleratedDriftMs;
    return isSet ? { sinceMs: startedMs + aheadMs, lastMs: failedMs + aheadMs } : { sinceMs, lastMs };
  }
}

/** Reports to nobody. */
export const silentTroubles: Troubles = {
  of: () => ({ failed() {}, recovered() {}, left() {} }),
};
