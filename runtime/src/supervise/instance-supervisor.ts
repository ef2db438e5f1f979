import { Backoff, type Clock, type Logger, type PartitionStatus, toError } from "@pulsar-ts-io/core";
import type { InstanceSnapshot } from "../instance/counters.ts";
import type { InstanceErrors } from "../instance/recent-errors.ts";
import type { Attempt } from "./attempt.ts";
import { isCurable } from "./curable.ts";
import type { InstanceState } from "./instance-report.ts";
import { totalCounts } from "./total-counts.ts";

/** The first pause before an instance is started again; it doubles up to {@link longestPauseMs}. */
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;
/** What ran as long as this starts over with the first pause. */
const healthyMs = 300_000;
/** As many errors as Pulsar's status shows. */
const keptErrors = 10;

const nothing: InstanceSnapshot = {
  received: 0,
  written: 0,
  duplicates: 0,
  failed: 0,
  skipped: 0,
  deadLettered: 0,
  inFlight: 0,
  inFlightBytes: 0,
  writtenBytes: 0,
  lastReceivedTime: 0,
  lastWrittenTime: 0,
  systemExceptions: 0,
  sourceExceptions: 0,
  lagMs: undefined,
};

export interface InstanceSupervisorOptions {
  /** How often it is started again without having run for five minutes in between; absent: for ever. */
  readonly maxRestarts: number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A number in [0, 1). */
  readonly random: () => number;
  /**
   * Whether the source was open once, in any of its instances. Until then nothing is started again: it is a wrong setting far
   * more often than bad luck, and whoever started it is still there to see it.
   */
  readonly proven?: () => boolean;
}

/** Keeps one instance running: starts it again when it fails, after a pause that grows. */
export class InstanceSupervisor {
  readonly #start: () => Promise<Attempt>;
  readonly #options: InstanceSupervisorOptions;
  readonly #pauses: Backoff;
  #attempt: Attempt | undefined;
  /** Of the attempts that have ended. */
  #before: InstanceSnapshot | undefined;
  #errorsBefore: InstanceErrors = { system: [], source: [] };
  #opened = false;
  #restarts = 0;
  #failure: unknown;
  #ended: "failed" | "stopped" | undefined;

  constructor(start: () => Promise<Attempt>, options: InstanceSupervisorOptions) {
    this.#start = start;
    this.#options = options;
    const { random } = options;
    this.#pauses = new Backoff({ initialMs: firstPauseMs, maxMs: longestPauseMs, random });
  }

  /** Whether its source was ever open. */
  get opened(): boolean {
    return this.#opened || this.#attempt?.view().opened === true;
  }

  /** Starts after the first. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Where the instance is in its life. */
  get state(): InstanceState {
    if (this.#ended !== undefined) return this.#ended;
    const view = this.#attempt?.view();
    if (view === undefined) return this.#restarts === 0 ? "starting" : "restarting";
    if (view.draining) return "draining";
    return view.opened ? "running" : "starting";
  }

  /** Why it does not run; empty while it does. */
  get error(): string {
    const { state } = this;
    const isDown =
      state === "restarting" || state === "failed" || (state === "starting" && this.#restarts > 0);
    return isDown ? toError(this.#failure).message : "";
  }

  /** The last ten of each kind over all its starts. */
  errors(): InstanceErrors {
    const before = this.#errorsBefore;
    const now = this.#attempt?.view().errors;
    if (now === undefined) return before;
    return {
      system: [...before.system, ...now.system].slice(-keptErrors),
      source: [...before.source, ...now.source].slice(-keptErrors),
    };
  }

  /** Those of the start that runs. */
  partitions(): readonly PartitionStatus[] {
    return this.#attempt?.view().partitions ?? [];
  }

  /** What it did over all its starts. */
  counts(): InstanceSnapshot {
    return totalCounts(this.#before, this.#attempt?.view().counts ?? nothing);
  }

  /**
   * Runs until `signal` aborts; then what runs drains. Once only.
   *
   * @throws the failure of a start that no other follows: what another start cannot cure, the last of too many, one while stopping.
   */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#runAttempts(signal);
      this.#ended = "stopped";
    } catch (error) {
      this.#failure = error;
      this.#ended = "failed";
      throw error;
    }
  }

  async #runAttempts(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      const failure = await this.#attemptOnce(signal);
      if (failure === undefined) return;
      if (signal.aborted || !this.#mayRestart(failure.error)) throw failure.error;
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

  async #attemptOnce(signal: AbortSignal): Promise<{ readonly error: unknown } | undefined> {
    const startedMs = this.#options.clock.monotonic();
    try {
      this.#attempt = await this.#start();
      await this.#attempt.run(signal);
      return undefined;
    } catch (error) {
      return { error };
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
    this.#errorsBefore = this.errors();
    this.#before = {
      ...totalCounts(this.#before, view.counts),
      inFlight: 0,
      inFlightBytes: 0,
      lagMs: undefined,
    };
    this.#attempt = undefined;
  }

  #mayRestart(error: unknown): boolean {
    const { maxRestarts, proven = () => this.opened } = this.#options;
    if (this.#attempt !== undefined || !proven() || !isCurable(error)) return false;
    return maxRestarts === undefined || this.#pauses.attempts < maxRestarts;
  }
}
