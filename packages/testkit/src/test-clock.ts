import { type Clock, IllegalStateError } from "@pulsar-ts-io/core";

export interface TestClockOptions {
  /** Wall time at the start, milliseconds since the epoch; default 2026-01-01T00:00:00Z. */
  readonly startMs?: number | undefined;
}

/** What a caller cannot tell from zero, and the clock still can after years. */
const shortestSleepMs = 0.001;

interface Sleeper {
  readonly wakeAt: number;
  readonly wake: () => void;
}

/**
 * Time that stands still until a test moves it.
 *
 * Sleepers wake in the order of their deadlines, those of one deadline in the order in which they lay down, and
 * everything that a waking one sets off without real I/O has happened before the next one wakes.
 */
export class TestClock implements Clock {
  #monotonic = 0;
  #wallOffset: number;
  /** In waking order. */
  readonly #sleepers: Sleeper[] = [];
  #advancing = false;

  constructor(options: TestClockOptions = {}) {
    this.#wallOffset = options.startMs ?? Date.UTC(2026, 0, 1);
  }

  now(): number {
    return this.#wallOffset + this.#monotonic;
  }

  /** Starts at 0. */
  monotonic(): number {
    return this.#monotonic;
  }

  /** How many wait in {@link sleep} now. */
  get sleepers(): number {
    return this.#sleepers.length;
  }

  /** Milliseconds until the next sleeper wakes; `undefined` when there is none. */
  get nextWakeMs(): number | undefined {
    const [first] = this.#sleepers;
    return first === undefined ? undefined : first.wakeAt - this.#monotonic;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (Number.isNaN(ms)) throw new RangeError("cannot sleep for NaN milliseconds");
    if (ms <= 0) {
      // A turn of the real loop: a loop that sleeps for nothing must not keep the test from going on.
      await turn();
      signal.throwIfAborted();
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const sleeper: Sleeper = {
        // A sum that rounds to now would wake a loop over and over, and time would stand still.
        wakeAt: this.#monotonic + Math.max(ms, shortestSleepMs),
        wake: () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      const onAbort = () => {
        this.#sleepers.splice(this.#sleepers.indexOf(sleeper), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#insert(sleeper);
    });
  }

  /** Lets `ms` milliseconds pass. One call at a time. */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new RangeError(`time goes forward only, got ${ms} ms`);
    await this.#alone(async () => {
      const until = this.#monotonic + ms;
      await settle();
      for (let next = this.#takeDue(until); next !== undefined; next = this.#takeDue(until)) {
        this.#monotonic = next.wakeAt;
        next.wake();
        await settle();
      }
      this.#monotonic = until;
    });
  }

  /**
   * Lets time pass, from one waking sleeper to the next, until `condition` holds; returns the milliseconds it took.
   *
   * @throws IllegalStateError (`PIO_ILLEGAL_STATE`) when it does not hold within `limitMs`, or nobody is left to wake.
   */
  async advanceUntil(condition: () => boolean, limitMs = 600_000): Promise<number> {
    const start = this.#monotonic;
    await settle();
    while (!condition()) {
      const waitMs = this.nextWakeMs;
      if (waitMs === undefined) {
        throw new IllegalStateError("the condition does not hold, and nobody waits for time to pass");
      }
      if (this.#monotonic + waitMs - start > limitMs) {
        throw new IllegalStateError(`the condition did not hold within ${limitMs} ms`);
      }
      await this.advance(waitMs);
    }
    return this.#monotonic - start;
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    await settle();
  }

  /** Sets the wall clock, as an administrator or NTP does: {@link monotonic} and the sleepers do not notice. */
  setWallClock(epochMs: number): void {
    this.#wallOffset = epochMs - this.#monotonic;
  }

  #insert(sleeper: Sleeper): void {
    let place = this.#sleepers.length;
    while (place > 0 && (this.#sleepers[place - 1]?.wakeAt ?? 0) > sleeper.wakeAt) place -= 1;
    this.#sleepers.splice(place, 0, sleeper);
  }

  #takeDue(until: number): Sleeper | undefined {
    const [first] = this.#sleepers;
    return first !== undefined && first.wakeAt <= until ? this.#sleepers.shift() : undefined;
  }

  async #alone(work: () => Promise<void>): Promise<void> {
    if (this.#advancing) throw new IllegalStateError("the clock is being advanced already");
    this.#advancing = true;
    try {
      await work();
    } finally {
      this.#advancing = false;
    }
  }
}

/** All microtasks run before an immediate; a second one is for what the first set off with an immediate of its own. */
async function settle(): Promise<void> {
  await turn();
  await turn();
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
