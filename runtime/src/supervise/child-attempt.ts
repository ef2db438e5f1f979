import type { Clock, Logger } from "@pulsar-ts-io/core";
import { endedWithin } from "../instance/deadline.ts";
import { InstanceFailedError, ShutdownTimeoutError } from "../instance/errors.ts";
import { RecentErrors } from "../instance/recent-errors.ts";
import { longestStopMs } from "../instance/stop-limits.ts";
import { causeOf, withFailures } from "./added-failures.ts";
import type { Attempt, AttemptView } from "./attempt.ts";
import { describeDeath, unpackFailure } from "./child-failure.ts";
import type { Child, ChildListener, FromChild } from "./child-messages.ts";
import type { MetricFamily } from "./instance-report.ts";
import { noCounts } from "./total-counts.ts";

/** How long a process may take to tell how it goes. */
const answerMs = 1_000;
/** How long a process may take to report and to exit, beyond the longest stop of its instance. */
const leaveMs = 5_000;
/** A process that reports nothing for this long after its drain time-out is blocked: it cannot stop by itself. */
const silentMs = 15_000;

export interface ChildAttemptOptions {
  /** Starts the process. */
  readonly launch: (listener: ChildListener) => Child;
  readonly job: unknown;
  readonly drainTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

type End =
  | { readonly kind: "said"; readonly failure: Error | undefined }
  | { readonly kind: "died"; readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** An instance that runs in a process of its own. */
export class ChildAttempt implements Attempt {
  readonly #options: ChildAttemptOptions;
  readonly #answers = new Set<() => void>();
  #child: Child | undefined;
  #view: AttemptView = {
    opened: false,
    lingering: false,
    draining: false,
    counts: noCounts,
    errors: { system: [], source: [] },
    partitions: [],
    troubles: [],
    stalled: undefined,
  };
  #metrics: readonly MetricFamily[] = [];
  /** What the process could not report, because it was dead or deaf. */
  readonly #failures: RecentErrors;
  #heard = false;
  #lastWord: Extract<End, { kind: "said" }> | undefined;

  constructor(options: ChildAttemptOptions) {
    this.#options = options;
    this.#failures = new RecentErrors(options.clock);
  }

  /**
   * Kills a process that has not ended 5 s after the longest stop of its instance, or that is past its drain time-out and reports nothing
   * for 15 s.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { launch, job, logger } = this.#options;
    const ended = new Promise<End>((resolve) => {
      this.#child = launch({
        message: (message) => this.#hear(message),
        exited: (code, by) => resolve(this.#lastWord ?? { kind: "died", code, signal: by }),
      });
    });
    this.#child?.send({ kind: "run", job });
    await endOrStop(ended, signal);
    const stopped = signal.aborted && this.#child?.alive === true;
    if (signal.aborted) {
      this.#child?.send({ kind: "stop" });
      const waitedMs = await this.#waitForEnd(ended);
      if (waitedMs !== undefined) {
        logger.error({ timeoutMs: waitedMs }, "instance did not stop in time, its process is killed");
        this.#child?.kill();
        await ended;
        throw this.#unreported(deaf(waitedMs));
      }
    }
    const end = await ended;
    // Its group was told to stop, too, before it could listen: nothing was open yet.
    if (signal.aborted && end.kind === "died" && end.signal === "SIGTERM") return;
    if (end.kind === "died") {
      const death = this.#unreported(describeDeath(end.code, end.signal));
      // What died before the stop could not hear it. What dies while it drains leaves the drain undone.
      if (stopped && this.#view.opened) death.undone = death;
      throw death;
    }
    if (end.failure !== undefined) throw end.failure;
    if (!signal.aborted) throw this.#unreported(describeDeath(0, null));
  }

  /** @returns how long it waited in vain; `undefined` when the process has ended. */
  async #waitForEnd(ended: Promise<End>): Promise<number | undefined> {
    const { clock, drainTimeoutMs } = this.#options;
    const limitMs = longestStopMs(drainTimeoutMs) + leaveMs;
    let waitedMs = 0;
    for (let stepMs = drainTimeoutMs; stepMs > 0; stepMs = Math.min(silentMs, limitMs - waitedMs)) {
      this.#heard = false;
      if (await endedWithin(clock, stepMs, async () => void (await ended))) return undefined;
      waitedMs += stepMs;
      if (waitedMs > drainTimeoutMs && !this.#heard) break;
    }
    return waitedMs;
  }

  view(): AttemptView {
    return withFailures(this.#view, this.#failures);
  }

  async metrics(): Promise<readonly MetricFamily[]> {
    const answered = new Promise<void>((resolve) => this.#answers.add(resolve));
    this.#child?.send({ kind: "look" });
    await endedWithin(this.#options.clock, answerMs, () => answered);
    return this.#metrics;
  }

  #unreported(failure: InstanceFailedError): InstanceFailedError {
    this.#failures.add(causeOf(failure));
    const { counts } = this.#view;
    // It can settle nothing any more: what it had in flight, as far as it was last seen, is read again.
    this.#view = { ...this.#view, counts: { ...counts, abandoned: counts.abandoned + counts.inFlight } };
    return failure;
  }

  #hear(message: FromChild): void {
    this.#heard = true;
    if (message.view !== undefined) this.#view = message.view;
    if (message.kind === "ended") {
      const failure = message.failure === undefined ? undefined : unpackFailure(message.failure);
      this.#lastWord = { kind: "said", failure };
    } else if (message.metrics === undefined) return;
    else this.#metrics = message.metrics;
    for (const answer of this.#answers) answer();
    this.#answers.clear();
  }
}

/** Leaves no listener on a signal that outlives many starts. */
async function endOrStop(ended: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const go = () => {
      signal.removeEventListener("abort", go);
      resolve();
    };
    signal.addEventListener("abort", go);
    void ended.then(go);
  });
}

function deaf(ms: number): InstanceFailedError {
  const what = `the instance's process did not end within ${ms} ms, and was killed`;
  const remedy = "nothing that is unconfirmed is lost: it is read again at the next start";
  const failure = new InstanceFailedError("close", new ShutdownTimeoutError(what, { remedy }));
  failure.undone = failure;
  return failure;
}
