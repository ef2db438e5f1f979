import { InstanceFailedError } from "../instance/errors.ts";
import type { Instance } from "../instance/instance.ts";
import { RecentErrors } from "../instance/recent-errors.ts";
import { Movement } from "../observe/movement.ts";
import { causeOf, withFailures } from "./added-failures.ts";
import type { Attempt, AttemptView } from "./attempt.ts";
import type { MetricFamily } from "./instance-report.ts";
import { type WatchHost, type WatchLimits, watchAttempt } from "./watch-attempt.ts";

export interface OwnAttemptOptions extends WatchHost {
  readonly limits: WatchLimits;
  readonly metrics: { families(): Promise<readonly MetricFamily[]> };
}

/** An instance that runs in this process. It fails when it is stalled, or takes too much memory, for longer than it may. */
export class OwnAttempt<C> implements Attempt {
  readonly #instance: Instance<C>;
  readonly #config: C;
  readonly #options: OwnAttemptOptions;
  readonly #movement: Movement;
  #stalledSinceMs: number | undefined;
  /** What the watch ended it for. */
  readonly #failures: RecentErrors;

  constructor(instance: Instance<C>, config: C, options: OwnAttemptOptions) {
    this.#instance = instance;
    this.#config = config;
    this.#options = options;
    this.#failures = new RecentErrors(options.clock);
    this.#movement = new Movement(options.clock.monotonic());
  }

  async run(signal: AbortSignal): Promise<void> {
    const { limits } = this.#options;
    const stop = new AbortController();
    const onAbort = () => stop.abort(signal.reason);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    const watching = watchAttempt(() => this.view(), limits, this.#options, stop.signal).then((failure) => {
      if (failure !== undefined) {
        this.#failures.add(causeOf(failure));
        stop.abort(failure);
      }
      return failure;
    });
    const running = this.#instance.run(this.#config, stop.signal).finally(() => {
      signal.removeEventListener("abort", onAbort);
      stop.abort(new Error("the instance has ended"));
    });
    const [ended, failure] = await Promise.all([running.then(() => undefined, caught), watching]);
    if (failure !== undefined) {
      if (ended?.error instanceof InstanceFailedError) failure.undone = ended.error.undone;
      throw failure;
    }
    if (ended !== undefined) throw ended.error;
  }

  view(): AttemptView {
    const { opened, lingering, draining } = this.#instance;
    const counts = this.#instance.snapshot();
    const partitions = this.#instance.partitions();
    const errors = this.#instance.errors();
    const troubles = this.#instance.troubles();
    const stalled = this.#movement.look(
      { snapshot: counts, partitions, troubles },
      this.#options.clock.monotonic(),
    );
    if (stalled === undefined) this.#stalledSinceMs = undefined;
    else this.#stalledSinceMs ??= this.#options.clock.now();
    const stalledSinceMs = this.#stalledSinceMs;
    const view = {
      opened,
      lingering,
      draining,
      counts,
      errors,
      partitions,
      troubles,
      stalled,
      stalledSinceMs,
    };
    return withFailures(view, this.#failures);
  }

  async metrics(): Promise<readonly MetricFamily[]> {
    return await this.#options.metrics.families();
  }
}

function caught(error: unknown): { readonly error: unknown } {
  return { error };
}
