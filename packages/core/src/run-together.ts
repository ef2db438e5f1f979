import { crowdedController } from "./crowded-controller.ts";

/** A long job: returns, or throws its signal's reason, once the signal is aborted. */
export type Job = (signal: AbortSignal) => Promise<void>;

/**
 * Runs `jobs` until all have ended; when one ends or fails, the others are stopped.
 *
 * @throws the first failure, after every job has ended. A job that throws because it was stopped has not failed.
 */
export async function runTogether(signal: AbortSignal, jobs: readonly Job[]): Promise<void> {
  signal.throwIfAborted();
  const stop = crowdedController();
  const onAbort = () => stop.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const failures: unknown[] = [];
  try {
    await Promise.all(
      jobs.map(async (job) => {
        try {
          await job(stop.signal);
        } catch (error) {
          if (!stop.signal.aborted || error !== stop.signal.reason) failures.push(error);
        } finally {
          stop.abort(new Error("a job that runs beside this one has ended"));
        }
      }),
    );
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
  if (failures.length > 0) throw failures[0];
}
