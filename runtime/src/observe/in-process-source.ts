import type { Clock, PartitionStatus } from "@pulsar-ts-io/core";
import type { InstanceSnapshot } from "../instance/counters.ts";
import type { InstanceErrors } from "../instance/recent-errors.ts";
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
  readonly state: InstanceState;
  /** Why it does not run; empty while it does. */
  readonly error: string;
  readonly restarts: number;
  counts(): InstanceSnapshot;
  errors(): InstanceErrors;
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
    const { instanceId, metrics, clock, mask } = this.#options;
    const families = await metrics.families();
    const { state, error, restarts } = this.#instance;
    const counts = this.#instance.counts();
    const partitions = this.#instance.partitions();
    const errors = this.#instance.errors();
    const stalled = this.#movement.look(counts, partitions, clock.monotonic());
    return [
      {
        instanceId,
        state,
        error: mask(error),
        restarts,
        counts,
        stalled: state === "running" ? stalled : undefined,
        systemErrors: masked(errors.system, mask),
        sourceErrors: masked(errors.source, mask),
        partitions,
        metrics: families,
      },
    ];
  }
}

function masked(errors: readonly RecentError[], mask: (text: string) => string): readonly RecentError[] {
  return errors.map(({ message, atMs }) => ({ message: mask(message), atMs }));
}
