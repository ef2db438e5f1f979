import type { Clock } from "@pulsar-ts-io/core";
import type { RecentError } from "../supervise/instance-report.ts";
import { messageWithCode } from "./errors.ts";

/** As many as Pulsar's status shows. */
export const keptErrors = 10;
/** A message may quote what it failed on. */
const maxCharacters = 2_000;

/** The last ten failures of each kind, newest last. */
export interface InstanceErrors {
  readonly system: readonly RecentError[];
  readonly source: readonly RecentError[];
}

/** Counts failures, and remembers the last ten. */
export class RecentErrors {
  readonly #clock: Clock;
  readonly #last: RecentError[] = [];
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    return this.#count;
  }

  /** Newest last. */
  get last(): readonly RecentError[] {
    return [...this.#last];
  }

  add(error: Error): void {
    this.#count += 1;
    const name = `[${error.name}]: `;
    const message = name + messageWithCode(error, maxCharacters - name.length);
    this.#last.push({ message, atMs: this.#clock.now() });
    if (this.#last.length > keptErrors) this.#last.shift();
  }
}
