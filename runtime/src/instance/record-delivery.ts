import {
  type Clock,
  type ConnectorError,
  type Guarantee,
  type SourceRecord,
  toError,
} from "@pulsar-ts-io/core";
import type { Delivery } from "@pulsar-ts-io/pulsar";
import type { InstanceCounters } from "./counters.ts";

/** What the deliveries of one instance have in common. */
export interface DeliveryHost {
  readonly counters: InstanceCounters;
  readonly guarantee: Guarantee;
  readonly clock: Clock;
  /** False once the source is being closed: nothing is settled with it any more. */
  readonly settling: boolean;
  /** A message that Pulsar refused, and nobody but the host can answer for. */
  refused(error: ConnectorError, record: SourceRecord): void;
  /** A source that threw where it must not. */
  misbehaved(error: Error): void;
}

/** How many records of one topic are unsettled: what decides whether its publisher may be closed. */
export interface TopicUse {
  inFlight: number;
}

/** One record in flight: hears once how its publishing ended, and settles the record accordingly. */
export class RecordDelivery implements Delivery {
  readonly #host: DeliveryHost;
  readonly #record: SourceRecord;
  readonly #use: TopicUse;
  #settled = false;

  constructor(host: DeliveryHost, record: SourceRecord, use: TopicUse) {
    this.#host = host;
    this.#record = record;
    this.#use = use;
    host.counters.inFlight += 1;
    host.counters.inFlightBytes += record.value.byteLength;
    use.inFlight += 1;
  }

  stored(): void {
    if (!this.#settle()) return;
    const { counters } = this.#host;
    counters.written += 1;
    counters.writtenBytes += this.#record.value.byteLength;
    counters.lastWrittenTime = this.#host.clock.now();
    // At most once: acknowledged before it was sent.
    if (this.#host.guarantee === "ATMOST_ONCE" || !this.#host.settling) return;
    try {
      this.#record.ack();
    } catch (error) {
      this.#host.misbehaved(toError(error));
    }
  }

  failed(error: ConnectorError): void {
    if (!this.#settle()) return;
    // The publisher was closed over it: it may have been stored, and will be read again if it was not.
    if (error.code === "PIO_PUBLISHER_CLOSED") return;
    this.#host.counters.failed += 1;
    try {
      this.#host.refused(error, this.#record);
    } catch (thrown) {
      this.#host.misbehaved(toError(thrown));
    }
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
