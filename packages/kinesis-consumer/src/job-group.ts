import { crowdedController, type Job } from "@pulsar-ts-io/core";

/**
 * Runs a changing set of jobs under one promise: jobs may be added while it runs.
 *
 * A job that returns is forgotten. The failure of one stops all, and is the failure of {@link run}.
 */
export class JobGroup {
  readonly #stop = crowdedController();
  /** One for each job: adding a listener to a signal takes as long as it has listeners, and there may be a thousand jobs. */
  readonly #stops = new Set<AbortController>();
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  #ended = false;

  /** Starts `job` at once, unless {@link run} has ended. Its signal aborts when the group is stopped. */
  start(job: Job): void {
    if (this.#ended) return;
    const running = this.#supervise(job);
    this.#running.add(running);
    // The supervisor never rejects.
    void running.then(() => this.#running.delete(running));
  }

  /** Waits until `signal` aborts or a job fails, then for every job to end. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = this.#stop.signal;
    const onAbort = () => this.#stopAll(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      if (!stop.aborted) {
        await new Promise<void>((resolve) => stop.addEventListener("abort", () => resolve(), { once: true }));
      }
      while (this.#running.size > 0) await Promise.all(this.#running);
    } finally {
      this.#ended = true;
      signal.removeEventListener("abort", onAbort);
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #stopAll(reason: unknown): void {
    this.#stop.abort(reason);
    for (const stop of this.#stops) stop.abort(this.#stop.signal.reason);
  }

  async #supervise(job: Job): Promise<void> {
    const stop = crowdedController();
    const { signal } = stop;
    if (this.#stop.signal.aborted) stop.abort(this.#stop.signal.reason);
    this.#stops.add(stop);
    try {
      await job(signal);
    } catch (error) {
      if (signal.aborted && error === signal.reason) return;
      this.#failure ??= { error };
      this.#stopAll(new Error("a job that runs beside this one has failed"));
    } finally {
      this.#stops.delete(stop);
    }
  }
}
