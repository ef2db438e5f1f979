import {
  Backoff,
  type Clock,
  codeOf,
  isRetryable,
  type Logger,
  remedyOf,
  type Trouble,
  toError,
} from "@pulsar-ts-io/core";
import type { InstanceSnapshot } from "../instance/counters.ts";
import { messageWithCode } from "../instance/errors.ts";
import { type InstanceErrors, keptErrors, RecentErrors } from "../instance/recent-errors.ts";
import { causeOf } from "./added-failures.ts";
import type { Attempt, AttemptView } from "./attempt.ts";
import { isCurable } from "./curable.ts";
import type { InstanceReport, InstanceState, MetricFamily, RecentError } from "./instance-report.ts";
import { undoneByStop } from "./stop-outcome.ts";
import { noCounts, totalCounts } from "./total-counts.ts";

/** The first pause before an instance is started again; it doubles up to {@link longestPauseMs}. */
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;
/** The longest pause after a failure to start that passes by itself: the next start comes soon after it has passed. */
const longestStartPauseMs = 5_000;
/** What ran as long as this starts over with the first pause. */
const healthyMs = 300_000;

export interface InstanceSupervisorOptions {
  /** 0-based. */
  readonly instanceId: number;
  /** How often it is started again without having run for five minutes in between; `undefined`: for ever. */
  readonly maxRestarts: number | undefined;
  /**
   * How long a first start may be retried whose failure is retryable, milliseconds; 0: it is not. A person sees a failure at once;
   * where a program starts the source, Pulsar or the service may be away for a while.
   */
  readonly startTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Takes the secrets out of a text. */
  readonly mask: (text: string) => string;
}

interface AttemptFailure {
  readonly error: unknown;
  /** Whether the source of this start was opened. */
  readonly opened: boolean;
}

/** Keeps one instance running: starts it again when it fails, after a pause that grows. */
export class InstanceSupervisor {
  readonly #start: (signal: AbortSignal) => Promise<Attempt>;
  readonly #options: InstanceSupervisorOptions;
  readonly #pauses: Backoff;
  #attempt: Attempt | undefined;
  /** Of the attempts that have ended. */
  #before = noCounts;
  #metrics: readonly MetricFamily[] = [];
  #errorsBefore: InstanceErrors = { system: [], source: [] };
  #opened = false;
  #restarts = 0;
  #failure: unknown;
  /** When it failed without having run well since, epoch milliseconds. */
  #downSinceMs: number | undefined;
  #failedMs = 0;
  /** By the monotonic clock. */
  #firstStartMs: number | undefined;
  #ended: "failed" | "stopped" | undefined;

  /** @param start makes an attempt, unless its signal aborts before. */
  constructor(start: (signal: AbortSignal) => Promise<Attempt>, options: InstanceSupervisorOptions) {
    this.#start = start;
    this.#options = options;
    const { random } = options;
    this.#pauses = new Backoff({ initialMs: firstPauseMs, maxMs: longestPauseMs, random });
  }

  /** Whether its source was ever open. */
  get opened(): boolean {
    return this.#opened || this.#attempt?.view().opened === true;
  }

  /** What it did over all its starts. */
  counts(): InstanceSnapshot {
    return totalCounts(this.#before, this.#attempt?.view().counts ?? noCounts);
  }

  /**
   * Runs until `signal` aborts; then what runs drains. Once only.
   *
   * @param proven whether the source was open once, in any of its instances. Until then nothing is started again: it is a
   * wrong setting far more often than bad luck, and whoever started it is still there to see it.
   * @throws the failure of a start that no other follows: what another start cannot cure, the last of too many, one while stopping.
   */
  async run(signal: AbortSignal, proven: () => boolean = () => this.opened): Promise<void> {
    try {
      await this.#runAttempts(signal, proven);
      this.#ended = "stopped";
    } catch (error) {
      this.#failure = error;
      this.#ended = "failed";
      throw error;
    }
  }

  /** All there is to say about it now. */
  async report(): Promise<InstanceReport> {
    const { instanceId, mask } = this.#options;
    if (this.#attempt !== undefined) this.#metrics = await this.#attempt.metrics();
    // Not before: what runs in another process is seen as of its last answer.
    const view = this.#attempt?.view();
    const state = this.#state(view);
    const errors = this.#errors(view);
    return {
      instanceId,
      state,
      error: mask(this.#reason(state)),
      restarts: this.#restarts,
      counts: this.counts(),
      stalled: state === "running" ? view?.stalled : undefined,
      systemErrors: masked(errors.system, mask),
      sourceErrors: masked(errors.source, mask),
      partitions: view?.partitions ?? [],
      troubles: this.#troubles(state, view).map((trouble) => maskedTrouble(trouble, mask)),
      metrics: this.#metrics,
    };
  }

  #state(view: AttemptView | undefined): InstanceState {
    if (this.#ended !== undefined) return this.#ended;
    if (view === undefined) return this.#restarts === 0 ? "starting" : "restarting";
    if (view.draining) return "draining";
    return view.opened ? "running" : "starting";
  }

  /** Why it does not run; empty while it does. */
  #reason(state: InstanceState): string {
    const isDown =
      state === "restarting" || state === "failed" || (state === "starting" && this.#restarts > 0);
    return isDown ? messageWithCode(toError(this.#failure)) : "";
  }

  /** What its parts report, and that it is down or stalled when nothing else explains it. */
  #troubles(state: InstanceState, view: AttemptView | undefined): readonly Trouble[] {
    const reported = view?.troubles ?? [];
    const down = this.#reason(state) === "" ? undefined : this.#downSinceMs;
    if (down !== undefined) return [this.#restarting(down), ...reported];
    if (state !== "running" || view?.stalled === undefined || reported.length > 0) return reported;
    return [stall(view.stalled, view.stalledSinceMs ?? this.#options.clock.now())];
  }

  #restarting(sinceMs: number): Trouble {
    const error = toError(this.#failure);
    return {
      what: "running the instance",
      sinceMs,
      lastMs: this.#failedMs,
      failures: Math.max(1, this.#pauses.attempts),
      affected: 1,
      code: codeOf(error),
      message: error.message,
      remedy: remedyOf(error),
      blocking: true,
    };
  }

  /** The last ten of each kind over all its starts. */
  #errors(view: AttemptView | undefined): InstanceErrors {
    const before = this.#errorsBefore;
    if (view === undefined) return before;
    return {
      system: [...before.system, ...view.errors.system].slice(-keptErrors),
      source: [...before.source, ...view.errors.source].slice(-keptErrors),
    };
  }

  async #runAttempts(signal: AbortSignal, proven: () => boolean): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      const failure = await this.#attemptOnce(signal);
      if (failure === undefined) return;
      if (signal.aborted) return this.#endStopped(failure);
      this.#failedMs = clock.now();
      this.#downSinceMs ??= this.#failedMs;
      this.#failure = failure.error;
      if (!this.#mayRestart(failure.error, proven())) throw failure.error;
      const pauseMs = this.#pauses.next(longestPauseAfter(failure));
      this.#restarts += 1;
      logger.warn(
        { err: failure.error, restarts: this.#restarts, pauseMs: Math.round(pauseMs) },
        "instance failed, it is started again after a pause",
      );
      await clock.sleep(pauseMs, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
  }

  /** A stop is a stop: of what failed meanwhile only what could not be drained or stored counts. */
  #endStopped({ error, opened }: AttemptFailure): void {
    const undone = undoneByStop(error, opened);
    if (undone !== undefined) throw undone;
    this.#options.logger.warn(
      { err: toError(error) },
      "instance failed while it was stopped, nothing is left undone",
    );
  }

  async #attemptOnce(signal: AbortSignal): Promise<AttemptFailure | undefined> {
    const startedMs = this.#options.clock.monotonic();
    this.#firstStartMs ??= startedMs;
    try {
      this.#attempt = await this.#startCounted(signal);
      await this.#attempt.run(signal);
      return undefined;
    } catch (error) {
      if (signal.aborted && error === signal.reason) return undefined;
      return { error, opened: this.#attempt?.view().opened === true };
    } finally {
      this.#end(this.#options.clock.monotonic() - startedMs);
    }
  }

  /** One that cannot even be made has nobody else to count its failure. */
  async #startCounted(signal: AbortSignal): Promise<Attempt> {
    try {
      return await this.#start(signal);
    } catch (error) {
      if (!signal.aborted) this.#count(error);
      throw error;
    }
  }

  #count(error: unknown): void {
    const errors = new RecentErrors(this.#options.clock);
    errors.add(causeOf(error));
    const { system, source } = this.#errorsBefore;
    this.#errorsBefore = { system: [...system, ...errors.last].slice(-keptErrors), source };
    this.#before = { ...this.#before, systemExceptions: this.#before.systemExceptions + 1 };
  }

  #end(ranMs: number): void {
    const view = this.#attempt?.view();
    if (view === undefined) return;
    if (view.opened) {
      this.#opened = true;
      this.#downSinceMs = undefined;
    }
    if (view.opened && ranMs >= healthyMs) this.#pauses.reset();
    if (view.lingering) return;
    this.#errorsBefore = this.#errors(view);
    this.#before = {
      ...totalCounts(this.#before, view.counts),
      inFlight: 0,
      inFlightBytes: 0,
      lagMs: undefined,
    };
    this.#attempt = undefined;
  }

  #mayRestart(error: unknown, proven: boolean): boolean {
    const { maxRestarts } = this.#options;
    if (this.#attempt !== undefined || !isCurable(error)) return false;
    if (!proven && !this.#mayRetryStart(error)) return false;
    return maxRestarts === undefined || this.#pauses.attempts < maxRestarts;
  }

  /** A failure to start that nobody waits out ends the run: a wrong setting causes it far more often than an outage. */
  #mayRetryStart(error: unknown): boolean {
    const { clock, startTimeoutMs } = this.#options;
    const startedMs = this.#firstStartMs ?? 0;
    return isRetryable(causeOf(error)) && clock.monotonic() - startedMs < startTimeoutMs;
  }
}

function longestPauseAfter({ error, opened }: AttemptFailure): number {
  return !opened && isRetryable(causeOf(error)) ? longestStartPauseMs : longestPauseMs;
}

function stall(message: string, sinceMs: number): Trouble {
  return {
    what: "moving records",
    sinceMs,
    lastMs: sinceMs,
    failures: 1,
    affected: 1,
    code: "PIO_STALLED",
    message,
    remedy: undefined,
    blocking: true,
  };
}

function maskedTrouble(trouble: Trouble, mask: (text: string) => string): Trouble {
  const { message, remedy } = trouble;
  return { ...trouble, message: mask(message), remedy: remedy === undefined ? undefined : mask(remedy) };
}

function masked(errors: readonly RecentError[], mask: (text: string) => string): readonly RecentError[] {
  return errors.map(({ message, atMs }) => ({ message: mask(message), atMs }));
}
