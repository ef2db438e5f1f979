import { type Clock, type ConnectorError, type Logger, toError } from "@pulsar-ts-io/core";
import type { Delivery, MessageId } from "../publisher.ts";
import { Once, waitFor } from "../wait.ts";
import type { Receipt } from "../wire/receipt.ts";
import { messageNotStored } from "./message-failure.ts";
import type { PendingFrame } from "./pending-window.ts";
import type { ProducerMetrics } from "./producer-metrics.ts";

export interface SettlementOptions {
  readonly topic: string;
  /** What message ids say; -1 when the topic is not partitioned. */
  readonly partition: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ProducerMetrics;
  /** Called with the messages that were settled, and the bytes of memory that they held. */
  readonly onSettled: (messages: number, bytes: number) => void;
  /** Called with the messages that a non-persistent topic dropped. */
  readonly onDropped: (messages: number) => void;
}

interface FlushWaiter {
  readonly lastId: number;
  readonly settled: Once<true>;
}

const nowhere = -1n;

/** Tells each message's owner how its publishing ended, once, and those who flush when all before them is settled. */
export class Settlement {
  readonly #options: SettlementOptions;
  #waiters: FlushWaiter[] = [];

  constructor(options: SettlementOptions) {
    this.#options = options;
  }

  /** @param firstPending the lowest id still pending; `undefined` when there is none. */
  confirm(frame: PendingFrame, receipt: Receipt, firstPending: number | undefined): void {
    const { clock, metrics, onSettled } = this.#options;
    if (receipt.entryId === nowhere && !this.#isPersistent) {
      this.#drop(frame, firstPending);
      return;
    }
    if (receipt.entryId === nowhere && !this.#mayBeDuplicate(frame)) {
      this.fail(frame, messageNotStored(this.#options.topic), firstPending);
      return;
    }
    const stored = receipt.entryId !== nowhere;
    metrics.confirmed(
      frame.deliveries.length,
      frame.valueBytes,
      (clock.monotonic() - frame.formedAt) / 1_000,
    );
    onSettled(frame.deliveries.length, frame.heldBytes);
    const batched = frame.deliveries.length > 1;
    frame.deliveries.forEach((delivery, index) => {
      const { ledgerId, entryId } = receipt;
      const { partition } = this.#options;
      const batchIndex = batched ? index : -1;
      this.#stored(delivery, stored ? { ledgerId, entryId, partition, batchIndex } : undefined);
    });
    this.#wake(firstPending);
  }

  /** As {@link confirm}, for a frame that never will be stored. */
  fail(frame: PendingFrame, error: ConnectorError, firstPending: number | undefined): void {
    this.failDeliveries(frame.deliveries, frame.heldBytes, error);
    this.#wake(firstPending);
  }

  failDeliveries(deliveries: readonly Delivery[], heldBytes: number, error: ConnectorError): void {
    if (deliveries.length === 0) return;
    this.#options.metrics.failed(deliveries.length);
    this.#options.onSettled(deliveries.length, heldBytes);
    for (const delivery of deliveries) this.#failed(delivery, error);
  }

  /** Fails what was only just handed over: later in this turn, when its sender is done with `send`. */
  refuse(deliveries: readonly Delivery[], heldBytes: number, error: ConnectorError): void {
    queueMicrotask(() => this.failDeliveries(deliveries, heldBytes, error));
  }

  /** Waits until everything up to `lastId` is settled. @throws the signal's reason. */
  async waitFor(lastId: number, signal: AbortSignal): Promise<void> {
    const waiter: FlushWaiter = { lastId, settled: new Once() };
    this.#waiters.push(waiter);
    try {
      await waitFor(waiter.settled.promise, signal);
    } finally {
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
    }
  }

  /** Only who chose the id, or a frame that was written more than once, can have been stored before. */
  #mayBeDuplicate(frame: PendingFrame): boolean {
    return frame.chosenIds || frame.writes > 1;
  }

  get #isPersistent(): boolean {
    return !this.#options.topic.startsWith("non-persistent:");
  }

  /** A non-persistent topic has no place for more messages, and does not keep them for later. */
  #drop(frame: PendingFrame, firstPending: number | undefined): void {
    const { topic, metrics, onSettled, onDropped } = this.#options;
    metrics.dropped(frame.deliveries.length);
    onSettled(frame.deliveries.length, frame.heldBytes);
    onDropped(frame.deliveries.length);
    for (const delivery of frame.deliveries) {
      if (delivery.dropped === undefined) this.#failed(delivery, messageNotStored(topic));
      else this.#dropped(delivery);
    }
    this.#wake(firstPending);
  }

  #dropped(delivery: Delivery): void {
    try {
      delivery.dropped?.();
    } catch (error) {
      this.#thrown(error);
    }
  }

  #wake(firstPending: number | undefined): void {
    for (const waiter of this.#waiters) {
      if (firstPending === undefined || firstPending > waiter.lastId) waiter.settled.happen(true);
    }
  }

  #stored(delivery: Delivery, id: MessageId | undefined): void {
    try {
      delivery.stored(id);
    } catch (error) {
      this.#thrown(error);
    }
  }

  #failed(delivery: Delivery, error: ConnectorError): void {
    try {
      delivery.failed(error);
    } catch (thrown) {
      this.#thrown(thrown);
    }
  }

  /** A defect of whoever listens must not stop the reading of frames. */
  #thrown(error: unknown): void {
    this.#options.logger.error({ err: toError(error) }, "a delivery threw when it was told its outcome");
  }
}
