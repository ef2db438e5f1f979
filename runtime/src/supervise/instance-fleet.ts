import { type Logger, runTogether, toError } from "@pulsar-ts-io/core";
import type { InstanceSnapshot } from "../instance/counters.ts";
import type { InstanceReport, WatchedSource } from "./instance-report.ts";
import type { InstanceSupervisor } from "./instance-supervisor.ts";
import { undoneByStop } from "./stop-outcome.ts";
import { noCounts, totalCounts } from "./total-counts.ts";

/** All instances of a source that run here. */
export class InstanceFleet implements WatchedSource {
  readonly #supervisors: readonly InstanceSupervisor[];
  readonly #logger: Logger;

  constructor(supervisors: readonly InstanceSupervisor[], logger: Logger) {
    this.#supervisors = supervisors;
    this.#logger = logger;
  }

  /**
   * Runs all of them until `signal` aborts and each has drained. One that fails for good stops the others: half a source looks
   * like a whole one.
   *
   * @throws the first failure that no restart follows. Once `signal` has aborted, only what could not be drained or stored: a stop is a
   * stop in every state, also while one that failed for good is stopping the others.
   */
  async run(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const proven = () => this.#supervisors.some(({ opened }) => opened);
    const failures: { readonly error: unknown; readonly opened: boolean }[] = [];
    const runOne = async (supervisor: InstanceSupervisor, stop: AbortSignal) => {
      try {
        await supervisor.run(stop, proven);
      } catch (error) {
        failures.push({ error, opened: supervisor.opened });
        throw error;
      }
    };
    try {
      await runTogether(
        signal,
        this.#supervisors.map((supervisor) => (stop) => runOne(supervisor, stop)),
      );
    } catch (first) {
      if (!signal.aborted) throw first;
      for (const { error, opened } of failures) {
        const undone = undoneByStop(error, opened);
        if (undone !== undefined) throw undone;
      }
      this.#logger.error({ err: toError(first) }, "instance failed for good, then the run was stopped");
    }
  }

  /** What they did together. */
  counts(): InstanceSnapshot {
    return this.#supervisors.map((supervisor) => supervisor.counts()).reduce(totalCounts, noCounts);
  }

  async reports(): Promise<readonly InstanceReport[]> {
    return await Promise.all(this.#supervisors.map((supervisor) => supervisor.report()));
  }
}
