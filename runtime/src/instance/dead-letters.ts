import type { ConnectorError, SourceRecord } from "@pulsar-ts-io/core";
import type { Delivery, OutgoingMessage, Publisher, PublisherOptions, Transport } from "@pulsar-ts-io/pulsar";
import { DeadLetterRefusedError, InstanceFailedError } from "./errors.ts";
import { acknowledge, type DeliveryHost } from "./record-delivery.ts";

export interface DeadLettersHost extends DeliveryHost {
  /** Ends the run. */
  fail(error: Error): void;
}

/** Publishes records that were refused to a topic of their own, with the reason in their properties. */
export class DeadLetters {
  readonly #transport: Transport;
  readonly #topic: string;
  readonly #options: PublisherOptions;
  #publisher: Publisher | undefined;

  constructor(transport: Transport, topic: string, options: PublisherOptions) {
    this.#transport = transport;
    this.#topic = topic;
    // Instances of one source share it, whatever they do with their topics.
    this.#options = { ...options, accessMode: "Shared" };
  }

  /** To be called once, before anything is read: whoever relies on the topic shall learn soon that it is not there. */
  async open(signal: AbortSignal): Promise<void> {
    this.#publisher = await this.#transport.open(this.#topic, this.#options, signal);
  }

  /** Whether so many letters are unconfirmed that no more records may be read. */
  get full(): boolean {
    return this.#publisher?.full === true;
  }

  async room(signal: AbortSignal): Promise<void> {
    await this.#publisher?.room(signal);
  }

  /** @param refusal what was said about `record`, which was to go to `topic`. */
  send(
    record: SourceRecord,
    topic: string | undefined,
    refusal: ConnectorError,
    host: DeadLettersHost,
  ): void {
    const delivery = new LetterDelivery(host, record, this.#topic);
    this.#publisher?.send(new DeadLetter(record, topic, refusal), delivery);
  }

  async flush(signal: AbortSignal): Promise<void> {
    await this.#publisher?.flush(signal);
  }

  async close(): Promise<void> {
    await this.#publisher?.close();
  }
}

/** The record as it is, and why it is here. */
class DeadLetter implements OutgoingMessage {
  readonly value: Uint8Array;
  readonly key: string | undefined;
  readonly eventTime: number | undefined;
  readonly properties: Readonly<Record<string, string>>;

  constructor(record: SourceRecord, topic: string | undefined, refusal: ConnectorError) {
    const { partitionId, recordSequence } = record;
    this.value = record.value;
    this.key = record.key;
    this.eventTime = record.eventTime;
    this.properties = {
      ...record.properties,
      "dead-letter.code": refusal.code,
      "dead-letter.reason": refusal.message,
      ...(topic === undefined ? {} : { "dead-letter.topic": topic }),
      ...(partitionId === undefined ? {} : { "dead-letter.partition": partitionId }),
      ...(recordSequence === undefined ? {} : { "dead-letter.sequence": String(recordSequence) }),
    };
  }
}

/** A letter in flight: its record is settled when the letter is. */
class LetterDelivery implements Delivery {
  readonly #host: DeadLettersHost;
  readonly #record: SourceRecord;
  readonly #topic: string;
  #settled = false;

  constructor(host: DeadLettersHost, record: SourceRecord, topic: string) {
    this.#host = host;
    this.#record = record;
    this.#topic = topic;
    host.counters.inFlight += 1;
    host.counters.inFlightBytes += record.value.byteLength;
  }

  stored(): void {
    if (!this.#settle()) return;
    this.#host.counters.deadLettered += 1;
    acknowledge(this.#host, this.#record);
  }

  failed(error: ConnectorError): void {
    if (!this.#settle() || error.code === "PIO_PUBLISHER_CLOSED") return;
    const refusal = new DeadLetterRefusedError(
      `${this.#topic} refused the dead letter of a record that was refused: ${error.message}`,
      {
        cause: error,
        details: { topic: this.#topic },
        remedy:
          "make the dead-letter topic take it, or pass over such records with --on-refused skip; it is read again at the next start",
      },
    );
    this.#host.fail(new InstanceFailedError("pulsar", refusal));
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#host.counters.inFlight -= 1;
    this.#host.counters.inFlightBytes -= this.#record.value.byteLength;
    return true;
  }
}
