import { type Clock, ConnectorError, type Logger } from "@pulsar-ts-io/core";
import { InstanceFailedError } from "../instance/errors.ts";
import type { AttemptView } from "./attempt.ts";

const lookEveryMs = 1_000;

/** What an instance may do, and how much it may take. */
export interface WatchLimits {
  /** How long nothing may move although there is something to move. */
  readonly stallTimeoutMs: number;
  /** How much memory its process may have resident; `undefined`: as much as there is. */
  readonly maxMemoryBytes: number | undefined;
}

export interface WatchHost {
  readonly clock: Clock;
  readonly logger: Logger;
  /** How much memory the process has resident, bytes. */
  readonly residentBytes: () => number;
}

/** Nothing moved for too long, though there was something to move. */
class StalledError extends ConnectorError {
  readonly code = "PIO_STALLED";
  readonly retryable = true;
}

/** The process took more memory than it may. */
class MemoryCeilingError extends ConnectorError {
  readonly code = "PIO_MEMORY_CEILING";
  readonly retryable = true;
}

/**
 * Looks at an instance every second until `signal` aborts. A stall is logged when it begins and when it ends; one that an outage
 * explains is waited out.
 *
 * @returns why the instance has to be started again; `undefined` when `signal` was aborted first.
 */
export async function watchAttempt(
  view: () => AttemptView,
  limits: WatchLimits,
  { clock, logger, residentBytes }: WatchHost,
  signal: AbortSignal,
): Promise<InstanceFailedError | undefined> {
  const stall = new StallWatch(limits, { clock, logger });
  while (!signal.aborted) {
    await clock.sleep(lookEveryMs, signal).catch(() => undefined);
    if (signal.aborted) break;
    const overweight = memoryFailure(residentBytes(), limits);
    if (overweight !== undefined) return overweight;
    const stalled = stall.look(view());
    if (stalled !== undefined) return stalled;
  }
  return undefined;
}

/** Measures how long an instance is stalled without an outage that explains it, and logs when a stall begins and ends. */
class StallWatch {
  readonly #limits: WatchLimits;
  readonly #host: Pick<WatchHost, "clock" | "logger">;
  #sinceMs: number | undefined;

  constructor(limits: WatchLimits, host: Pick<WatchHost, "clock" | "logger">) {
    this.#limits = limits;
    this.#host = host;
  }

  /** @returns the failure once the stall has lasted too long. */
  look(seen: AttemptView): InstanceFailedError | undefined {
    const { clock, logger } = this.#host;
    if (seen.stalled === undefined) {
      if (this.#sinceMs !== undefined) logger.info({}, "instance moves again");
      this.#sinceMs = undefined;
      return undefined;
    }
    if (this.#sinceMs === undefined) logger.warn({ reason: seen.stalled }, "instance stalled");
    // A restart does not end an outage: only time without one counts.
    const isExplained = seen.troubles.some(({ blocking }) => blocking);
    if (this.#sinceMs === undefined || isExplained) this.#sinceMs = clock.monotonic();
    if (clock.monotonic() - this.#sinceMs < this.#limits.stallTimeoutMs) return undefined;
    return stallFailure(seen, seen.stalled);
  }
}

function memoryFailure(
  residentBytes: number,
  { maxMemoryBytes = Number.POSITIVE_INFINITY }: WatchLimits,
): InstanceFailedError | undefined {
  if (residentBytes <= maxMemoryBytes) return undefined;
  const what = `its process has ${megabytes(residentBytes)} MB of memory resident, more than the ${megabytes(maxMemoryBytes)} MB of --max-memory`;
  const remedy = "allow it more, or let it buffer less; if it grows without an end, report it";
  return new InstanceFailedError("run", new MemoryCeilingError(what, { remedy }));
}

/** With records in flight Pulsar is waited for, else the source. */
function stallFailure({ counts }: AttemptView, reason: string): InstanceFailedError {
  const [stage, remedy] =
    counts.inFlight > 0
      ? (["pulsar", "look at the broker: records wait for its receipts"] as const)
      : (["run", "look at what the source reads from, and at its permissions"] as const);
  return new InstanceFailedError(stage, new StalledError(reason, { remedy }));
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}
