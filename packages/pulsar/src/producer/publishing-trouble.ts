import {
  type Clock,
  type ConnectorError,
  type Outage,
  silentTroubles,
  type Troubles,
} from "@pulsar-ts-io/core";
import { PulsarTimeoutError } from "../errors.ts";

/** How often producers are looked at, and how long one may be without its broker before that is trouble, milliseconds. */
const everyMs = 5_000;
/** How long a receipt may take before that is trouble, milliseconds: ten times what a busy broker needs. */
const slowMs = 15_000;

/** A producer, as far as its trouble goes. */
export interface WatchedProducer {
  /** Names it among all of the transport. */
  readonly key: string;
  /** Its topic, and its partition. */
  readonly topic: string;
  /** Since when it has no open session, by the monotonic clock; `undefined`: it has one, or needs none any more. */
  readonly lostSince: number | undefined;
  /** Since when it has an open session, by the monotonic clock; `undefined`: it has none. */
  readonly openSince: number | undefined;
  /** Since when the oldest message is not confirmed; `undefined`: there is none. */
  readonly unconfirmedSince: number | undefined;
  /** Ends the producer's connection if that is dead. */
  probe(why: ConnectorError): void;
}

/** Reports what keeps the producers of one transport from publishing, and reports its end. */
export class PublishingTrouble {
  readonly #clock: Clock;
  readonly #publishing: Outage;
  readonly #receipts: Outage;
  readonly #producers = new Set<WatchedProducer>();
  /** Producers that are opened for the first time. */
  readonly #opening = new Map<string, number>();
  /** The last failure of each that fails. */
  readonly #last = new Map<string, unknown>();

  constructor(troubles: Troubles | undefined, clock: Clock) {
    const { of } = troubles === undefined ? silentTroubles : { of: troubles.of.bind(troubles) };
    this.#clock = clock;
    const blocking = (affected: number) => affected >= this.#producers.size + this.#opening.size;
    this.#publishing = of("publishing to Pulsar", { blocking });
    this.#receipts = of("receipts from Pulsar", { blocking });
  }

  /** A publisher is being opened. */
  opening(key: string): void {
    if (!this.#opening.has(key)) this.#opening.set(key, this.#clock.monotonic());
  }

  /** An attempt failed, and is repeated. */
  failed(key: string, error: unknown): void {
    this.#last.set(key, error);
    this.#publishing.failed(key, error);
  }

  recovered(key: string): void {
    this.#last.delete(key);
    this.#publishing.recovered(key);
  }

  /** The publisher is open. */
  opened(key: string): void {
    this.#opening.delete(key);
    this.recovered(key);
  }

  /** Nobody opens the publisher any more. */
  notOpened(key: string): void {
    this.#opening.delete(key);
    this.#last.delete(key);
    this.#publishing.left(key);
  }

  add(producer: WatchedProducer): void {
    this.#producers.add(producer);
  }

  remove(producer: WatchedProducer): void {
    this.#producers.delete(producer);
    this.#last.delete(producer.key);
    this.#publishing.left(producer.key);
    this.#receipts.left(producer.key);
  }

  /** Looks at all producers until `signal` aborts. @throws the signal's reason. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#clock.sleep(everyMs, signal);
      const now = this.#clock.monotonic();
      for (const [key, since] of this.#opening)
        if (now - since >= everyMs)
          this.#publishing.failed(key, this.#last.get(key) ?? noAnswer(key, now - since));
      for (const producer of this.#producers) this.#look(producer, now);
    }
  }

  #look(producer: WatchedProducer, now: number): void {
    const { key, topic, lostSince, openSince, unconfirmedSince } = producer;
    if (lostSince !== undefined && now - lostSince >= everyMs)
      this.#publishing.failed(key, this.#last.get(key) ?? noAnswer(topic, now - lostSince));
    if (unconfirmedSince === undefined) this.#receipts.recovered(key);
    else if (openSince !== undefined && now - Math.max(openSince, unconfirmedSince) >= everyMs) {
      const late = noReceipt(topic, now - unconfirmedSince);
      producer.probe(late);
      if (now - unconfirmedSince >= slowMs) this.#receipts.failed(key, late);
      else this.#receipts.recovered(key);
    }
  }
}

function noAnswer(topic: string, ms: number): PulsarTimeoutError {
  return new PulsarTimeoutError(`no producer for ${topic} since ${seconds(ms)} s`, {
    details: { topic },
    remedy: "check that the brokers run, answer, and can be reached from here",
  });
}

function noReceipt(topic: string, ms: number): PulsarTimeoutError {
  return new PulsarTimeoutError(`messages to ${topic} are not confirmed since ${seconds(ms)} s`, {
    details: { topic },
    remedy: "check the load and the disks of brokers and bookies, and limits of the publish rate",
  });
}

function seconds(ms: number): number {
  return Math.round(ms / 1_000);
}
