import type { Clock } from "@pulsar-ts-io/core";
import type { Attempt } from "../../src/supervise/attempt.ts";
import type { Child, ChildListener, FromChild, ToChild } from "../../src/supervise/child-messages.ts";
import { type ParentLink, serveParent } from "../../src/supervise/serve-parent.ts";

/** Both ends of the way between a parent and the process of an instance, in one process: messages are copied, as there. */
export class JoinedChild implements Child, ParentLink {
  readonly jobs: unknown[] = [];
  readonly signal: AbortController = new AbortController();
  killed = false;
  /** Whether it takes no message any more, as a process does that is busy for ever. */
  deaf = false;
  /** Whether it sends no message any more, as a process does whose event loop is blocked. */
  silent = false;
  readonly #listener: ChildListener;
  readonly #hear: ((message: ToChild) => void)[] = [];
  readonly #gone: (() => void)[] = [];
  #hasExited = false;

  constructor(listener: ChildListener, open: (job: unknown) => Promise<Attempt>, clock: Clock) {
    this.#listener = listener;
    const openJob = (job: unknown) => {
      this.jobs.push(job);
      return open(job);
    };
    void serveParent(this, { open: openJob, clock, signal: this.signal.signal }).then(() =>
      this.exit(0, null),
    );
  }

  get alive(): boolean {
    return !this.#hasExited;
  }

  send(message: ToChild | FromChild): Promise<void> {
    const copy = structuredClone(message);
    if (copy.kind === "seen" || copy.kind === "ended") {
      if (!this.silent) this.#listener.message(copy);
    } else if (!(this.#hasExited || this.deaf)) for (const hear of this.#hear) hear(copy);
    return Promise.resolve();
  }

  kill(): void {
    this.killed = true;
    this.exit(null, "SIGKILL");
  }

  onMessage(listener: (message: ToChild) => void): void {
    this.#hear.push(listener);
  }

  onGone(listener: () => void): void {
    this.#gone.push(listener);
  }

  /** The parent's process is gone. */
  orphan(): void {
    for (const gone of this.#gone) gone();
  }

  exit(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#hasExited) return;
    this.#hasExited = true;
    this.#listener.exited(code, signal);
  }
}
