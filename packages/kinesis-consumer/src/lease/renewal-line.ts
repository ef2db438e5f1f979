import type { Clock } from "@pulsar-ts-io/core";

/** Writes of held leases that are under way at once: enough to renew 1,200 leases in time at 400 ms a write. */
const atOnce = 128;
/** A write is not begun for a lease with less time left, as long as others have more. */
const shortestWriteMs = 250;
/** How long those who stand back sleep before they look again, milliseconds, at least. */
const standBackMs = 100;

export interface RenewalLineOptions {
  readonly clock: Clock;
  /** How long a lease lasts after its last write, milliseconds. */
  readonly failoverMs: number;
  /** A number in [0, 1). */
  readonly random: () => number;
}

interface Turn {
  readonly deadlineMs: number;
  readonly begin: () => void;
}

/**
 * Orders the writes of held leases by their deadlines, a bounded number at once, and makes other work stand back while one of them
 * is short of time.
 *
 * A write waits here and not in the connection pool: there its time would run, and all would be late together. A lease that can
 * not be written in time any more costs the others no turn.
 */
export class RenewalLine {
  readonly #options: RenewalLineOptions;
  /** The earliest deadline first. */
  readonly #waiting: Turn[] = [];
  #underway = 0;

  constructor(options: RenewalLineOptions) {
    this.#options = options;
  }

  /**
   * Does `write` when it is its turn. It is done also when the deadline has passed: it finds that out.
   *
   * @param deadlineMs monotonic.
   * @throws the signal's reason when it aborts before the turn.
   */
  async inTurn<T>(deadlineMs: number, write: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#turn(deadlineMs, signal);
    try {
      return await write();
    } finally {
      this.#underway -= 1;
      this.#serve();
    }
  }

  /** Waits while a write that waits for its turn has less than half of the lease left, at most about `longestMs`. */
  async standBack(signal: AbortSignal, longestMs?: number): Promise<void> {
    const { clock, random } = this.#options;
    signal.throwIfAborted();
    const untilMs = clock.monotonic() + (longestMs ?? Number.POSITIVE_INFINITY);
    while (this.#pressing && clock.monotonic() < untilMs) {
      // At random, so that not all come back at once.
      await clock.sleep(standBackMs * (1 + 4 * random()), signal);
    }
  }

  get #pressing(): boolean {
    const { clock, failoverMs } = this.#options;
    const [first] = this.#waiting;
    return first !== undefined && first.deadlineMs - clock.monotonic() < failoverMs / 2;
  }

  #turn(deadlineMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(signal.reason);
      };
      const begin = () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const turn: Turn = { deadlineMs, begin };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#insert(turn);
      this.#serve();
    });
  }

  #insert(turn: Turn): void {
    let place = this.#waiting.length;
    while (place > 0 && (this.#waiting[place - 1]?.deadlineMs ?? 0) > turn.deadlineMs) place -= 1;
    this.#waiting.splice(place, 0, turn);
  }

  #serve(): void {
    while (this.#underway < atOnce && this.#waiting.length > 0) {
      const fromMs = this.#options.clock.monotonic() + shortestWriteMs;
      const place = this.#waiting.findIndex(({ deadlineMs }) => deadlineMs >= fromMs);
      const [turn] = this.#waiting.splice(Math.max(0, place), 1);
      if (turn === undefined) return;
      this.#underway += 1;
      turn.begin();
    }
  }
}
