import type { Trouble } from "@pulsar-ts-io/core";
import type { InstanceSnapshot } from "../../src/instance/counters.ts";
import { InstanceFailedError, type Stage } from "../../src/instance/errors.ts";
import type { InstanceErrors } from "../../src/instance/recent-errors.ts";
import type { Attempt, AttemptView } from "../../src/supervise/attempt.ts";
import type { MetricFamily } from "../../src/supervise/instance-report.ts";
import { stopped } from "./list-source.ts";

/** What an instance failed with. */
export function failure(message: string, stage: Stage = "run", code?: string): InstanceFailedError {
  const cause = new Error(message);
  return new InstanceFailedError(stage, code === undefined ? cause : Object.assign(cause, { code }));
}

/** The counts of an instance that read and published so many records. */
export function counts(received: number, more: Partial<InstanceSnapshot> = {}): InstanceSnapshot {
  return {
    received,
    written: received,
    duplicates: 0,
    abandoned: 0,
    failed: 0,
    skipped: 0,
    deadLettered: 0,
    inFlight: 0,
    inFlightBytes: 0,
    writtenBytes: received * 10,
    lastReceivedTime: received,
    lastWrittenTime: received,
    systemExceptions: 0,
    sourceExceptions: 0,
    lagMs: undefined,
    ...more,
  };
}

/** A start that does what the test says: it runs until it is made to fail, or told to stop. */
export class ScriptedAttempt implements Attempt {
  opened = true;
  lingering = false;
  draining = false;
  errors: InstanceErrors = { system: [], source: [] };
  counts: InstanceSnapshot = counts(0);
  stalled: string | undefined;
  troubles: readonly Trouble[] = [];
  families: readonly MetricFamily[] = [];
  /** The failure of its drain, when it is told to stop. */
  drainFailure: Error | undefined;
  #fail: (error: Error) => void = () => undefined;

  async run(signal: AbortSignal): Promise<void> {
    const failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    await Promise.race([failed, stopped(signal)]).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    const { drainFailure } = this;
    if (drainFailure instanceof InstanceFailedError && drainFailure.stage !== "run") {
      drainFailure.undone = drainFailure; // as an instance does
    }
    if (drainFailure !== undefined) throw drainFailure;
  }

  view(): AttemptView {
    const { opened, lingering, draining, counts: done, errors, stalled, troubles } = this;
    return { opened, lingering, draining, counts: done, errors, stalled, partitions: [], troubles };
  }

  metrics(): Promise<readonly MetricFamily[]> {
    return Promise.resolve(this.families);
  }

  fail(error: Error): void {
    this.#fail(error);
  }
}
