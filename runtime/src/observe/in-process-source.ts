import type { Clock, PartitionStatus } from "@pulsar-ts-io/core";
import type { InstanceSnapshot } from "../instance/counters.ts";
import type {
  InstanceReport,
  InstanceState,
  MetricFamily,
  RecentError,
  WatchedSource,
} from "../supervise/instance-report.ts";
import { Movement } from "./movement.ts";

/** An instance, as much of it as is watched. */
export interface WatchedInstance {
  readonly phase: InstanceState;
  snapshot(): InstanceSnapshot;
  errors(): { readonly system: readonly RecentError[]; readonly source: readonly RecentError[] };
  partitions(): readonly PartitionStatus[];
}

export interface InProcessSourceOptions {
  readonly instanceId: number;
  readonly clock: Clock;
  /** What the parts of the instance measure. */
  readonly metrics: { families(): Promise<readonly MetricFamily[]> };
  /** Takes the secrets out of a text. */
  readonly mask: (text: string) => string;
}

/** A source whose one instance runs in this process. */
export class InProcessSource implements WatchedSource {
  readonly #instance: WatchedInstance;
  readonly #options: InProcessSourceOptions;
  readonly #movement: Movement;

  constructor(instance: WatchedInstance, options: InProcessSourceOptions) {
    this.#instance = instance;
    this.#options = options;
    this.#movement = new Movement(options.clock.monotonic());
  }

  async reports(): Promise<readonly InstanceReport[]> {
    const { instanceId, metrics, clock } = this.#options;
    const families = await metrics.families();
    const { phase } = this.#instance;
    const counts = this.#instance.snapshot();
    const partitions = this.#instance.partitions();
    const errors = this.#instance.errors();
    const stalled = this.#movement.look(counts, partitions, clock.monotonic());
    return [
      {
        instanceId,
        state: phase,
        error: phase === "failed" ? this.#masked(errors.system.at(-1)?.message ?? "") : "",
        restarts: 0,
        counts,
        stalled: phase === "running" ? stalled : undefined,
        systemErrors: this.#maskedErrors(errors.system),
        sourceErrors: this.#maskedErrors(errors.source),
        partitions,
        metrics: families,
      },
    ];
  }

  #maskedErrors(errors: readonly RecentError[]): readonly RecentError[] {
    return errors.map(({ message, atMs }) => ({ message: this.#masked(message), atMs }));
  }

  #masked(text: string): string {
    return this.#options.mask(text);
  }
}
