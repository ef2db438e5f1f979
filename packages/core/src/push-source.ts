import { BoundedQueue } from "./bounded-queue.ts";
import type { SourceContext } from "./context.ts";
import { IllegalStateError } from "./errors.ts";
import type { SourceRecord } from "./record.ts";
import type { Source } from "./source.ts";

type Entry =
  | { readonly kind: "record"; readonly record: SourceRecord }
  | { readonly kind: "error"; readonly error: Error };

/**
 * The base of connectors that are called rather than asked: an HTTP endpoint, a subscription.
 *
 * The subclass calls {@link consume} for each record and waits for it: that wait is the back-pressure.
 * Mirrors `org.apache.pulsar.io.core.PushSource`, `notifyError` included (PIP-281).
 */
export abstract class PushSource<C> implements Source<C> {
  /** Records that may wait between `consume` and `read`; Java's default. */
  static readonly defaultQueueLength = 1_000;

  readonly #queue: BoundedQueue<Entry>;
  #signal: AbortSignal | undefined;

  /** @param queueLength records, at least 1; default 1000. */
  constructor(queueLength: number = PushSource.defaultQueueLength) {
    this.#queue = new BoundedQueue(queueLength);
  }

  /** A subclass that overrides this calls `super.open(config, context)` before it consumes anything. */
  open(_config: C, context: SourceContext): Promise<void> {
    this.#signal = context.signal;
    return Promise.resolve();
  }

  abstract close(): Promise<void>;

  async read(): Promise<SourceRecord> {
    const entry = await this.#queue.take(this.#opened());
    if (entry.kind === "error") throw entry.error;
    return entry.record;
  }

  /**
   * Hands `record` to the host; waits while the queue is full.
   *
   * @throws the signal's reason once the host stops reading.
   */
  protected consume(record: SourceRecord): Promise<void> {
    return this.#queue.put({ kind: "record", record }, this.#opened());
  }

  /** Makes `read` throw `error` after the records that are already queued, which ends the instance. */
  protected notifyError(error: Error): Promise<void> {
    return this.#queue.put({ kind: "error", error }, this.#opened());
  }

  #opened(): AbortSignal {
    if (this.#signal === undefined) {
      throw new IllegalStateError("the source is not open", {
        remedy: "call super.open(config, context) first",
      });
    }
    return this.#signal;
  }
}
