import type { Clock, Logger, Outage, Troubles } from "@pulsar-ts-io/core";
import { aborted, JoinedSignal } from "../joined-signal.ts";
import { sleepUntilWoken } from "../wake-up.ts";
import type { MetricAccumulator } from "./metric-accumulator.ts";
import type { MetricDatum, MetricSink } from "./metric-sink.ts";

/** KCL's. */
const flushEveryMs = 10_000;
/** KCL's, for one call. */
const sendWithinMs = 5_000;
/** How long the end of a consumer may wait for its last metrics, however many calls they are. */
const finishWithinMs = 1_000;

const outageKey = "metrics";

export interface MetricPublisherOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly troubles: Troubles;
}

/**
 * Sends what was measured every ten seconds, or at once when there is plenty.
 *
 * It is never in the way: whatever fails costs the data that were sent and one line in the log for as long as it goes on failing.
 */
export class MetricPublisher {
  readonly #sink: MetricSink;
  readonly #accumulator: MetricAccumulator;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #outage: Outage;
  #failing = false;

  constructor(sink: MetricSink, accumulator: MetricAccumulator, options: MetricPublisherOptions) {
    this.#sink = sink;
    this.#accumulator = accumulator;
    this.#clock = options.clock;
    this.#logger = options.logger.child({ component: "metrics" });
    this.#outage = options.troubles.of("publishing metrics to CloudWatch", { blocking: false });
  }

  /** Publishes until `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    let dueMs = this.#clock.monotonic() + flushEveryMs;
    while (!signal.aborted) {
      try {
        await sleepUntilWoken(this.#clock, dueMs - this.#clock.monotonic(), this.#accumulator.plenty, signal);
      } catch {
        return; // the signal's reason: nothing else can be thrown here
      }
      dueMs = this.#clock.monotonic() + flushEveryMs;
      await this.#flush(Number.POSITIVE_INFINITY, signal);
    }
  }

  /** Sends what is left, for a second at most; not at all where sending fails anyway. Never rejects. */
  async finish(signal: AbortSignal): Promise<void> {
    if (!this.#failing) await this.#flush(this.#clock.monotonic() + finishWithinMs, signal);
  }

  /** @param untilMs when the last call must have ended, monotonic. */
  async #flush(untilMs: number, signal: AbortSignal): Promise<void> {
    const dropped = this.#accumulator.takeDropped();
    if (dropped > 0) this.#logger.warn({ dropped }, "metrics were dropped, too many different ones waited");
    const data = this.#accumulator.take();
    const { maxBatch } = this.#sink;
    for (let from = 0; from < data.length && !signal.aborted; from += maxBatch) {
      const withinMs = Math.min(sendWithinMs, untilMs - this.#clock.monotonic());
      // After a failure the rest would fail too, and take as long each.
      if (withinMs <= 0 || !(await this.#send(data.slice(from, from + maxBatch), withinMs, signal))) return;
    }
  }

  async #send(batch: readonly MetricDatum[], withinMs: number, signal: AbortSignal): Promise<boolean> {
    const late = new AbortController();
    using joined = new JoinedSignal(signal, late.signal);
    const sent = new AbortController();
    const watchdog = this.#clock.sleep(withinMs, sent.signal).then(
      () => late.abort(new Error(`publishing metrics took longer than ${withinMs} ms`)),
      () => {},
    );
    const sending = this.#sink.send(batch, joined.signal);
    // One that does not mind its signal is left behind: its failure is no news any more.
    sending.catch(() => {});
    try {
      await Promise.race([sending, aborted(joined.signal).then(() => joined.signal.throwIfAborted())]);
      this.#failing = false;
      this.#outage.recovered(outageKey);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      this.#failing = true;
      this.#outage.failed(outageKey, error);
      return false;
    } finally {
      sent.abort();
      await watchdog;
    }
  }
}
