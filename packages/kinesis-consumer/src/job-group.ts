import { crowdedController, type Job } from "@pulsar-ts-io/core";

/**
 * Runs a changing set of jobs under one promise: jobs may be added while it runs.
 *
 * A job that returns is forgotten. The failure of one stops all, and is the failure of {@link run}.
 */
export class JobGroup {
  readonly #stop = crowdedController();
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
    const onAbort = () => this.#stop.abort(signal.reason);
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

  async #supervise(job: Job): Promise<void> {
    const { signal } = this.#stop;
    try {
      await job(signal);
    } catch (error) {
      if (signal.aborted && error === signal.reason) return;
      this.#failure ??= { error };
      this.#stop.abort(new Error("a job that runs beside this one has failed"));
    }
  }
}
