import {
  type Clock,
  type ConnectorError,
  type Guarantee,
  type Histogram,
  hasCode,
  type SourceRecord,
  toError,
} from "@pulsar-ts-io/core";
import type { Delivery, MessageId } from "@pulsar-ts-io/pulsar";
import type { InstanceCounters } from "./counters.ts";

/** What the deliveries of one instance have in common. */
export interface DeliveryHost {
  readonly counters: InstanceCounters;
  readonly guarantee: Guarantee;
  readonly clock: Clock;
  /** From handing a record to its publisher to its receipt, in seconds. */
  readonly latency: Histogram;
  /** False once the source is being closed: nothing is settled with it any more. */
  readonly settling: boolean;
  /** A message that Pulsar refused, and nobody but the host can answer for. */
  refused(error: ConnectorError, record: SourceRecord): void;
  /** A source that threw where it must not, or numbered its records wrong. */
  misbehaved(error: Error): void;
}

/** How many records of one publisher are unsettled: what decides whether it may be closed. */
export interface PublisherUse {
  inFlight: number;
}

/**
 * Acknowledges `record`, unless the guarantee says otherwise: at most once it was acknowledged before it was sent, and
 * with `MANUAL` the source does it by itself.
 */
export function acknowledge(host: DeliveryHost, record: SourceRecord): void {
  if (host.guarantee === "ATMOST_ONCE" || host.guarantee === "MANUAL" || !host.settling) return;
  try {
    record.ack();
  } catch (error) {
    host.misbehaved(toError(error));
  }
}

/** One record in flight: hears once how its publishing ended, and settles the record accordingly. */
export class RecordDelivery implements Delivery {
  readonly #host: DeliveryHost;
  readonly #record: SourceRecord;
  readonly #use: PublisherUse;
  readonly #sentMs: number;
  #settled = false;

  constructor(host: DeliveryHost, record: SourceRecord, use: PublisherUse) {
    this.#host = host;
    this.#record = record;
    this.#use = use;
    this.#sentMs = host.clock.monotonic();
    host.counters.inFlight += 1;
    host.counters.inFlightBytes += record.value.byteLength;
    use.inFlight += 1;
  }

  stored(id: MessageId | undefined): void {
    if (!this.#settle()) return;
    const { counters } = this.#host;
    counters.written += 1;
    counters.writtenBytes += this.#record.value.byteLength;
    counters.lastWrittenTime = this.#host.clock.now();
    this.#host.latency.observe((this.#host.clock.monotonic() - this.#sentMs) / 1_000);
    if (id === undefined) counters.duplicates += 1;
    acknowledge(this.#host, this.#record);
  }

  failed(error: ConnectorError): void {
    if (!this.#settle()) return;
    // The publisher was closed over it: it may have been stored, and will be read again if it was not.
    if (error.code === "PIO_PUBLISHER_CLOSED") return;
    this.#host.counters.failed += 1;
    try {
      if (hasCode(error, "PIO_INVALID_SEQUENCE_ID")) this.#host.misbehaved(error);
      else this.#host.refused(error, this.#record);
    } catch (thrown) {
      this.#host.misbehaved(toError(thrown));
    }
  }

  /** A non-persistent topic promises no more than to try: the record is done with. */
  dropped(): void {
    if (!this.#settle()) return;
    this.#host.counters.failed += 1;
    this.#host.counters.skipped += 1;
    acknowledge(this.#host, this.#record);
  }

  /** @returns whether this was the first word about the record. */
  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#host.counters.inFlight -= 1;
    this.#host.counters.inFlightBytes -= this.#record.value.byteLength;
    this.#use.inFlight -= 1;
    return true;
  }
}
