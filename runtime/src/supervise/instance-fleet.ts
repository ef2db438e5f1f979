import { runTogether } from "@pulsar-ts-io/core";
import type { InstanceSnapshot } from "../instance/counters.ts";
import type { InstanceReport, WatchedSource } from "./instance-report.ts";
import type { InstanceSupervisor } from "./instance-supervisor.ts";
import { noCounts, totalCounts } from "./total-counts.ts";

/** All instances of a source that run here. */
export class InstanceFleet implements WatchedSource {
  readonly #supervisors: readonly InstanceSupervisor[];

  constructor(supervisors: readonly InstanceSupervisor[]) {
    this.#supervisors = supervisors;
  }

  /**
   * Runs all of them until `signal` aborts and each has drained. One that fails for good stops the others: half a source looks
   * like a whole one.
   *
   * @throws the first failure that no restart follows.
   */
  async run(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const proven = () => this.#supervisors.some(({ opened }) => opened);
    await runTogether(
      signal,
      this.#supervisors.map((supervisor) => (stop) => supervisor.run(stop, proven)),
    );
  }

  /** What they did together. */
  counts(): InstanceSnapshot {
    return this.#supervisors.map((supervisor) => supervisor.counts()).reduce(totalCounts, noCounts);
  }

  async reports(): Promise<readonly InstanceReport[]> {
    return await Promise.all(this.#supervisors.map((supervisor) => supervisor.report()));
  }
}
