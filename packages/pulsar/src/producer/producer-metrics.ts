import type { Meter } from "@pulsar-ts-io/core";

/** What can be seen of one publisher: all its partitions together. */
export class ProducerMetrics {
  readonly #sent;
  readonly #resent;
  readonly #confirmed;
  readonly #bytes;
  readonly #failed;
  readonly #dropped;
  readonly #pending;
  readonly #batchMessages;
  readonly #latency;

  /** @param producer the name that was chosen: it tells publishers to one topic apart. One that the broker gives is another at each start. */
  constructor(meter: Meter, topic: string, producer: string | undefined) {
    const labels = producer === undefined ? { topic } : { topic, producer };
    const counter = (name: string, help: string) =>
      meter.counter(`pulsar_ts_io_publisher_${name}`, help, labels);
    this.#sent = counter("sent_messages_total", "Messages written to a broker for the first time");
    this.#resent = counter("resent_messages_total", "Messages written to a broker again");
    this.#confirmed = counter("confirmed_messages_total", "Messages the broker has confirmed");
    this.#bytes = counter("confirmed_bytes_total", "Bytes of values the broker has confirmed");
    this.#failed = counter("failed_messages_total", "Messages that were given up");
    this.#dropped = counter("dropped_messages_total", "Messages that a non-persistent topic dropped");
    this.#pending = meter.gauge(
      "pulsar_ts_io_publisher_pending_messages",
      "Messages not settled yet",
      labels,
    );
    this.#batchMessages = meter.histogram(
      "pulsar_ts_io_publisher_batch_messages",
      "Messages in one frame",
      labels,
    );
    this.#latency = meter.histogram(
      "pulsar_ts_io_publisher_latency_seconds",
      "From the forming of a frame to its confirmation",
      labels,
    );
  }

  /** @param writes how often the frame was written, this time included. */
  written(messages: number, writes: number): void {
    if (writes > 1) this.#resent.add(messages);
    else {
      this.#sent.add(messages);
      this.#batchMessages.observe(messages);
    }
  }

  confirmed(messages: number, bytes: number, seconds: number): void {
    this.#confirmed.add(messages);
    this.#bytes.add(bytes);
    this.#latency.observe(seconds);
  }

  failed(messages: number): void {
    this.#failed.add(messages);
  }

  dropped(messages: number): void {
    this.#dropped.add(messages);
  }

  pending(messages: number): void {
    this.#pending.set(messages);
  }
}
