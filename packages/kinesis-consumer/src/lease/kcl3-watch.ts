import { type Clock, isRetryable, type Logger, type Outage, type Troubles } from "@pulsar-ts-io/core";
import type { Kcl3State, Kcl3StateReader } from "./kcl3-state.ts";
import type { LeaseCase, TakingRestraint } from "./lease-sightings.ts";

/** The mode may change at any time; KCL looks as often. */
const lookMs = 60_000;
/** While it is open whether a worker of KCL 3 lives. */
const lookCloselyMs = 5_000;
/** A leader's heartbeat and a worker's metrics come every 30 s: within one interval and a late look each of them moves. */
const silentMs = 35_000;
/** KCL 3 itself counts a worker out after two intervals. Until then nothing is taken from the living. */
const certainMs = 60_000;
/** Metrics so old by their own clock are those of a fleet that is long gone, however wrong that clock may be. */
const longGoneMs = 600_000;
/** Two rounds of a KCL 3 leader, who gives what has expired to its own workers in each. */
const leaderPatienceMs = 40_000;

export interface Kcl3WatchOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly troubles: Troubles;
  readonly failoverMs: number;
}

/**
 * Tells how much restraint the workers of KCL 3 need that share the lease table, by their signs of life.
 *
 * Where a KCL 3 leader assigns the leases, one who takes them as KCL 2 does pulls load by count and never gets it pulled back: leases
 * are left alone unless the leader, too, has left them alone for 40 s. Nothing here is about safety, the fencing is the same; a wrong
 * verdict costs balance and no record.
 */
export class Kcl3Watch implements TakingRestraint {
  readonly #reader: Kcl3StateReader;
  readonly #options: Kcl3WatchOptions;
  readonly #outage: Outage;
  #native = false;
  #wasHere = false;
  #warnedOf: string | undefined;
  #passive = false;
  #signs: string | undefined;
  /** When a sign of life last changed, or was first looked at; monotonic, as all times here. */
  #movedMs = Number.NEGATIVE_INFINITY;
  #movedIndeed = false;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(reader: Kcl3StateReader, options: Kcl3WatchOptions) {
    this.#reader = reader;
    this.#options = options;
    this.#outage = options.troubles.of("tables of KCL 3", { blocking: false });
  }

  /** Whether there is anything of KCL 3: its leader, now or one day, asks what is read of each shard. */
  get wasHere(): boolean {
    return this.#wasHere;
  }

  /** Whether workers of KCL 3 share the table that are not known to be gone. */
  get passive(): boolean {
    return this.#passive;
  }

  /** Whether leases of living workers may be taken. */
  get maySteal(): boolean {
    return !this.#native || this.#lookedMs - this.#movedMs >= certainMs;
  }

  takeableFromMs(lease: LeaseCase): number {
    if (!this.#passive) return lease.fromMs;
    // A worker of KCL 3 that has leases renews them: when nothing at all is renewed, only an idle one can be there still, and
    // that one has just not been seen to move.
    const aloneMs = this.#movedIndeed
      ? this.#movedMs + silentMs
      : Math.max(lease.renewedMs, this.#movedMs) + this.#options.failoverMs;
    return Math.min(lease.sinceMs + leaderPatienceMs, Math.max(lease.fromMs, aloneMs));
  }

  /** Looks once. @throws what may heal. */
  async look(signal: AbortSignal): Promise<void> {
    this.#saw(await this.#reader.read(signal));
  }

  /** Looks again and again until `signal` aborts. When it cannot look, the last verdict stands. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      await clock.sleep(this.maySteal ? lookMs : lookCloselyMs, signal);
      try {
        await this.look(signal);
        this.#outage.recovered("look");
      } catch (error) {
        signal.throwIfAborted();
        if (!isRetryable(error)) throw error;
        this.#outage.failed("look", error);
      }
    }
  }

  #saw(state: Kcl3State): void {
    const { clock } = this.#options;
    const now = clock.monotonic();
    this.#native = isNative(state);
    this.#wasHere = state.clientVersion !== undefined || state.leaderBeat !== undefined;
    const signs = signsOf(state);
    if (signs !== this.#signs) {
      const first = this.#signs === undefined;
      this.#signs = signs;
      this.#movedIndeed = !first;
      this.#movedMs = first && isLongGone(state, clock.now()) ? Number.NEGATIVE_INFINITY : now;
    }
    this.#lookedMs = now;
    this.#tell(state);
  }

  #tell(state: Kcl3State): void {
    const { logger } = this.#options;
    const { clientVersion } = state;
    const was = this.#passive;
    this.#passive = this.#native && this.#lookedMs - this.#movedMs < silentMs;
    if (was && !this.#passive) {
      logger.info({ clientVersion }, "no worker of KCL 3 shows signs of life, leases are taken as usual");
    }
    const concern = this.#passive ? "native" : clientVersion;
    if (concern === this.#warnedOf) return;
    this.#warnedOf = concern;
    const workers = workersOf(state);
    if (this.#passive) {
      logger.warn(
        { clientVersion, workers },
        "workers of KCL 3 share the lease table: this one takes only leases that nobody wanted for 40 s, and reads little or nothing; stop them to let it take over, or stop it",
      );
    } else if (clientVersion === "CLIENT_VERSION_UPGRADE_FROM_2X") {
      logger.warn(
        { clientVersion, workers },
        "workers of KCL 3 wait to leave their 2.x mode: they cannot while this one holds a lease; stop it to let them, or leave them in that mode",
      );
    }
  }
}

/** Without the row: the index and a leader are what only native workers leave. */
function isNative({ clientVersion, leaderBeat, ownerIndex }: Kcl3State): boolean {
  if (clientVersion === undefined) return ownerIndex && leaderBeat !== undefined;
  return clientVersion === "CLIENT_VERSION_3X" || clientVersion === "CLIENT_VERSION_3X_WITH_ROLLBACK";
}

function signsOf({ leaderBeat, metricsSeconds }: Kcl3State): string {
  return JSON.stringify([leaderBeat, [...metricsSeconds].sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** Those that have written their metrics within KCL's two intervals before the last that did, by their clocks; and the leader. */
function workersOf({ leader, metricsSeconds }: Kcl3State): readonly string[] {
  const sinceSeconds = Math.max(...metricsSeconds.values()) - certainMs / 1_000;
  const living = [...metricsSeconds].filter(([, seconds]) => seconds >= sinceSeconds);
  const names = living.map(([worker]) => worker);
  return [...new Set(leader === undefined ? names : [leader, ...names])].sort();
}

/** A living worker writes its metrics; without any, a living leader is none to be sure of. */
function isLongGone({ leaderBeat, metricsSeconds }: Kcl3State, nowMs: number): boolean {
  if (metricsSeconds.size === 0) return leaderBeat === undefined;
  return [...metricsSeconds.values()].every((seconds) => seconds * 1_000 < nowMs - longGoneMs);
}
