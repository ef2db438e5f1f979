import type { Clock } from "@pulsar-ts-io/core";

/** One process's time: it can be stopped, as SIGSTOP does, while that of the others goes on, and its calendar can be set. */
export class WorkerClock implements Clock {
  readonly #world: Clock;
  #calendarMs = 0;
  #stopped: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(world: Clock) {
    this.#world = world;
  }

  now(): number {
    return this.#world.now() + this.#calendarMs;
  }

  monotonic(): number {
    return this.#world.monotonic();
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    await this.#world.sleep(ms, signal);
    if (this.#stopped !== undefined) await this.running();
    signal.throwIfAborted();
  }

  /** Waits until the process runs. */
  running(): Promise<void> {
    return this.#stopped?.promise ?? Promise.resolve();
  }

  stop(): void {
    this.#stopped ??= open();
  }

  resume(): void {
    this.#stopped?.resolve();
    this.#stopped = undefined;
  }

  /** Sets the wall clock forward, or back. */
  setCalendar(byMs: number): void {
    this.#calendarMs += byMs;
  }
}

function open(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
