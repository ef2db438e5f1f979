import type { Clock } from "@pulsar-ts-io/core";
import { Gate } from "./gate.ts";

/** One process's time: it can be stopped, as SIGSTOP does, while that of the others goes on, and its calendar can be set. */
export class WorkerClock implements Clock {
  readonly #world: Clock;
  #calendarMs = 0;
  readonly #process = new Gate();

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
    if (this.#process.closed) await this.running();
    signal.throwIfAborted();
  }

  /** Waits until the process runs. */
  running(): Promise<void> {
    return this.#process.passed();
  }

  stop(): void {
    this.#process.close();
  }

  resume(): void {
    this.#process.open();
  }

  /** Sets the wall clock forward, or back. */
  setCalendar(byMs: number): void {
    this.#calendarMs += byMs;
  }
}
