import type { Clock } from "@pulsar-ts-io/core";
import type { Instance } from "../instance/instance.ts";
import { Movement } from "../observe/movement.ts";
import type { Attempt, AttemptView } from "./attempt.ts";
import type { MetricFamily } from "./instance-report.ts";

export interface OwnAttemptOptions {
  readonly clock: Clock;
  readonly metrics: { families(): Promise<readonly MetricFamily[]> };
}

/** An instance that runs in this process. */
export class OwnAttempt<C> implements Attempt {
  readonly #instance: Instance<C>;
  readonly #config: C;
  readonly #options: OwnAttemptOptions;
  readonly #movement: Movement;

  constructor(instance: Instance<C>, config: C, options: OwnAttemptOptions) {
    this.#instance = instance;
    this.#config = config;
    this.#options = options;
    this.#movement = new Movement(options.clock.monotonic());
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#instance.run(this.#config, signal);
  }

  view(): AttemptView {
    const { opened, lingering, draining } = this.#instance;
    const counts = this.#instance.snapshot();
    const partitions = this.#instance.partitions();
    const stalled = this.#movement.look(counts, partitions, this.#options.clock.monotonic());
    const errors = this.#instance.errors();
    return { opened, lingering, draining, counts, errors, partitions, stalled };
  }

  async metrics(): Promise<readonly MetricFamily[]> {
    return await this.#options.metrics.families();
  }
}
