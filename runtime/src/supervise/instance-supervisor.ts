import { Backoff, type Clock, type Logger, type Trouble, toError } from "@pulsar-ts-io/core";
import type { InstanceSnapshot } from "../instance/counters.ts";
import { messageWithCode } from "../instance/errors.ts";
import type { InstanceErrors } from "../instance/recent-errors.ts";
import type { Attempt, AttemptView } from "./attempt.ts";
import { isCurable } from "./curable.ts";
import type { InstanceReport, InstanceState, MetricFamily, RecentError } from "./instance-report.ts";
import { undoneByStop } from "./stop-outcome.ts";
import { noCounts, totalCounts } from "./total-counts.ts";

/** The first pause before an instance is started again; it doubles up to {@link longestPauseMs}. */
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;
/** What ran as long as this starts over with the first pause. */
const healthyMs = 300_000;
/** As many errors as Pulsar's status shows. */
const keptErrors = 10;

export interface InstanceSupervisorOptions {
  /** 0-based. */
  readonly instanceId: number;
  /** How often it is started again without having run for five minutes in between; `undefined`: for ever. */
  readonly maxRestarts: number | undefined;
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
      troubles: (view?.troubles ?? []).map((trouble) => maskedTrouble(trouble, mask)),
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
      if (!this.#mayRestart(failure.error, proven())) throw failure.error;
      const pauseMs = this.#pauses.next();
      this.#restarts += 1;
      this.#failure = failure.error;
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
    try {
      this.#attempt = await this.#start(signal);
      await this.#attempt.run(signal);
      return undefined;
    } catch (error) {
      if (signal.aborted && error === signal.reason) return undefined;
      return { error, opened: this.#attempt?.view().opened === true };
    } finally {
      this.#end(this.#options.clock.monotonic() - startedMs);
    }
  }

  #end(ranMs: number): void {
    const view = this.#attempt?.view();
    if (view === undefined) return;
    if (view.opened) this.#opened = true;
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
    if (this.#attempt !== undefined || !proven || !isCurable(error)) return false;
    return maxRestarts === undefined || this.#pauses.attempts < maxRestarts;
  }
}

function maskedTrouble(trouble: Trouble, mask: (text: string) => string): Trouble {
  const { message, remedy } = trouble;
  return { ...trouble, message: mask(message), remedy: remedy === undefined ? undefined : mask(remedy) };
}

function masked(errors: readonly RecentError[], mask: (text: string) => string): readonly RecentError[] {
  return errors.map(({ message, atMs }) => ({ message: mask(message), atMs }));
}
