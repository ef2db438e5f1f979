import {
  Backoff,
  type Clock,
  type ConnectorError,
  hasCode,
  isRetryable,
  type Logger,
  runTogether,
} from "@pulsar-ts-io/core";
import type { Codec } from "../compression.ts";
import type { ConnectionPool, ConnectionTarget } from "../connection/connection-pool.ts";
import type { TopicLookup } from "../connection/lookup.ts";
import { brokerError, serverErrors } from "../connection/server-error.ts";
import { MessageRefusedError, ProtocolError, PublisherClosedError } from "../errors.ts";
import type { Delivery, OutgoingMessage, PublisherOptions } from "../publisher.ts";
import { waitFor, withDeadline } from "../wait.ts";
import type { Commands } from "../wire/command-types.ts";
import type { Receipt } from "../wire/receipt.ts";
import { checksumHolds } from "../wire/send-frame.ts";
import { BatchTimer } from "./batch-timer.ts";
import { FrameFormer } from "./frame-former.ts";
import { type PendingFrame, PendingWindow } from "./pending-window.ts";
import type { ProducerMetrics } from "./producer-metrics.ts";
import { type Loss, ProducerSession, type SessionOwner } from "./producer-session.ts";
import { Settlement } from "./settlement.ts";
import { asConnectorError, isFinalAfterOpen } from "./verdict.ts";

/** First pause before a producer is opened again, and the longest. */
const backoffMs = { initialMs: 100, maxMs: 60_000 };
/** Longest pause while no broker answers: trying to connect costs little, and a broker that is back should be seen soon. */
const maxUnreachableMs = 5_000;
/** How long closing waits for the broker's word. */
const closeMs = 5_000;

export interface PartitionProducerOptions {
  /** Complete name, of the partition where there are partitions. */
  readonly topic: string;
  readonly producerId: number;
  /** What message ids say; -1 when the topic is not partitioned. */
  readonly partition: number;
  /** Absent: the broker gives one. */
  readonly producerName: string | undefined;
  /** Whether the name was chosen by the user. */
  readonly nameChosen: boolean;
  readonly publisher: PublisherOptions;
  readonly codec: Codec | undefined;
  readonly operationTimeoutMs: number;
  /** Told how many messages and bytes of values were settled. */
  readonly onSettled: (messages: number, bytes: number) => void;
  /** Told when the producer failed for good, before its messages are. */
  readonly onFailed: () => void;
  readonly metrics: ProducerMetrics;
}

/** What a producer needs around it. */
export interface ProducerHost {
  readonly pool: ConnectionPool;
  readonly lookup: TopicLookup;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Publishes to one topic that is not partitioned, or to one partition.
 *
 * Every frame stays in the window until the broker confirms it. When the session is lost, the producer is opened again, and
 * the very same frames are written in order before anything new.
 */
export class PartitionProducer implements SessionOwner {
  readonly #options: PartitionProducerOptions;
  readonly #host: ProducerHost;
  readonly #window = new PendingWindow();
  readonly #former: FrameFormer;
  readonly #timer: BatchTimer;
  readonly #settlement: Settlement;
  readonly #backoff = new Backoff(backoffMs);
  #session: ProducerSession | undefined;
  #name: string | undefined;
  #epoch = 0;
  #topicEpoch: number | undefined;
  /** The id the next message gets, unless its caller chose one. */
  #nextId: number | undefined;
  /** Messages up to this id may be repetitions: each goes in a frame of its own, so that the broker judges it alone. */
  #repeatedUpTo = -1;
  #final: ConnectorError | undefined;

  constructor(host: ProducerHost, options: PartitionProducerOptions) {
    const { publisher, codec } = options;
    const { clock } = host;
    this.#host = host;
    this.#options = options;
    this.#name = options.producerName;
    this.#timer = new BatchTimer(clock, publisher.batching?.maxDelayMs ?? 0);
    this.#former = new FrameFormer({
      codec,
      batching: publisher.batching,
      clock,
      emit: (frame) => this.#enqueue(frame),
      onBatchStarted: () => this.#timer.wake(),
    });
    this.#settlement = new Settlement({ ...options, clock, logger: host.logger });
  }

  /** Why nothing can be published any more. */
  get final(): ConnectorError | undefined {
    return this.#final;
  }

  /** The producer's name: the broker's where none was given. */
  get name(): string | undefined {
    return this.#name;
  }

  /**
   * Opens the producer for the first time; transient failures are tried again for the operation time-out.
   *
   * @throws why it cannot be published to this topic.
   */
  async open(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#host;
    const deadline = clock.monotonic() + this.#options.operationTimeoutMs;
    for (let said = ""; ; ) {
      try {
        await this.#attempt(undefined, signal);
        return;
      } catch (reason) {
        signal.throwIfAborted();
        const error = asConnectorError(reason);
        const delay = this.#pauseAfter(error);
        if (!isRetryable(error) || clock.monotonic() + delay >= deadline) throw error;
        if (error.code !== said) logger.warn({ err: error }, "producer not opened, trying again");
        said = error.code;
        await clock.sleep(delay, signal);
      }
    }
  }

  /** Keeps the opened producer open until `signal` aborts or it fails for good. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await runTogether(signal, [
        (stop) => this.#stayOpen(stop),
        (stop) => this.#timer.run(this.#former, stop),
      ]);
    } catch (error) {
      if (!signal.aborted) this.#fail(asConnectorError(error));
    }
  }

  /** Publishes `message`. @param chosenId the caller's sequence id: above every one before it. */
  send(message: OutgoingMessage, delivery: Delivery, chosenId: number | undefined): void {
    if (this.#final !== undefined) {
      this.#settlement.refuse(delivery, message, this.#final);
      return;
    }
    const next = this.#nextId ?? 0;
    const sequenceId = chosenId ?? next;
    this.#nextId = sequenceId + 1;
    this.#former.add(
      { message, sequenceId, chosenId: chosenId !== undefined, delivery },
      sequenceId > this.#repeatedUpTo,
    );
  }

  /** Sends what waits to be batched. */
  flushBatch(): void {
    this.#former.flush();
  }

  /** Sends what waits to be batched, and waits until all that was sent before is settled. */
  flush(signal: AbortSignal): Promise<void> {
    this.#former.flush();
    const { lastId } = this.#window;
    return lastId === undefined ? Promise.resolve() : this.#settlement.waitFor(lastId, signal);
  }

  /** Closes the producer on its broker; what is not settled by then fails. {@link run} must have been stopped, or never begun. */
  async close(): Promise<void> {
    const closed = new PublisherClosedError(`the publisher to ${this.#options.topic} was closed`);
    this.#final ??= closed;
    this.#discardBatch(closed);
    const session = this.#session;
    if (session !== undefined && session.lost.value === undefined) await this.#closeOnBroker(session);
    this.#leave();
    this.#failAll(closed);
  }

  receipt(session: ProducerSession, receipt: Receipt): void {
    const match = this.#window.match(receipt.sequenceId, receipt.highestSequenceId);
    if (match.kind === "confirmed") {
      this.#backoff.reset();
      this.#settlement.confirm(match.frame, receipt, this.#window.firstId);
    } else if (match.kind === "gap") {
      session.connection.abandon(
        new ProtocolError(
          `${session.connection.name} confirmed sequence id ${receipt.sequenceId} of ${this.#options.topic} where ${match.expected} was due`,
        ),
      );
    }
  }

  sendError(session: ProducerSession, failure: Commands["sendError"]): void {
    const error = brokerError(failure, `a message to ${this.#options.topic}`);
    const frame = this.#window.find(failure.sequenceId);
    switch (failure.error) {
      case serverErrors.topicTerminated:
        this.#fail(error);
        break;
      case serverErrors.notAllowed:
        this.#refuseFrame(frame, error);
        break;
      case serverErrors.checksum:
        if (frame !== undefined && !checksumHolds(frame.pieces))
          this.#settleFailed(frame, this.#changed(error));
        session.lost.happen({ kind: "refused", error });
        break;
      default:
        session.lost.happen({ kind: "refused", error });
    }
  }

  migrated(command: Commands["topicMigrated"]): void {
    const to = command.brokerServiceUrl ?? command.brokerServiceUrlTls;
    this.#host.logger.warn({ to }, "topic migrated to another cluster, which is not followed");
  }

  /** One try: finds the broker, opens the producer there, and writes again what was not confirmed. */
  async #attempt(hint: ConnectionTarget | undefined, signal: AbortSignal): Promise<ProducerSession> {
    const { pool, lookup } = this.#host;
    const { topic, producerId } = this.#options;
    const target = hint ?? (await lookup.broker(topic, signal));
    const connection = await pool.get(target, signal);
    const session = new ProducerSession(this, connection, target);
    connection.attachProducer(producerId, session);
    try {
      const what = `the producer for ${topic}`;
      const success = await connection.request("producer", this.#producerCommand(), what, signal);
      if (session.lost.value !== undefined) throw session.lost.value.error;
      this.#resume(session, success);
      return session;
    } catch (error) {
      connection.detachProducer(producerId, session);
      // Whether the broker has the producer is not known: without this, the next PRODUCER of that id could be refused.
      if (signal.aborted || hasCode(error, "PIO_PULSAR_TIMEOUT"))
        connection.tell("closeProducer", { producerId });
      throw error;
    }
  }

  #producerCommand(): Omit<Commands["producer"], "requestId"> {
    const { topic, producerId, nameChosen, publisher } = this.#options;
    const epoch = this.#epoch;
    this.#epoch += 1;
    return {
      topic,
      producerId,
      producerName: this.#name,
      encrypted: false,
      metadata: Object.entries(publisher.producerProperties).map(([key, value]) => ({ key, value })),
      epoch,
      userProvidedProducerName: nameChosen,
      accessMode: 0,
      topicEpoch: this.#topicEpoch,
    };
  }

  /** From PRODUCER_SUCCESS to the last frame written again nothing waits: no new message can come between. */
  #resume(session: ProducerSession, success: Commands["producerSuccess"]): void {
    const { maxMessageBytes } = session.connection;
    const { producerId } = this.#options;
    this.#name = success.producerName;
    this.#topicEpoch = success.topicEpoch ?? this.#topicEpoch;
    if (this.#nextId === undefined) {
      this.#repeatedUpTo = success.lastSequenceId ?? -1;
      this.#nextId = this.#repeatedUpTo + 1;
    }
    const schemaVersion =
      success.schemaVersion === undefined ? noBytes : Uint8Array.from(success.schemaVersion);
    this.#former.describe({ producerId, producerName: success.producerName, schemaVersion, maxMessageBytes });
    this.#session = session;
    for (const frame of this.#window.frames()) {
      if (frame.messageBytes > maxMessageBytes)
        this.#settleFailed(frame, this.#settlement.tooLarge(frame, maxMessageBytes));
      else this.#write(session, frame);
    }
    this.#host.logger.info(
      { producer: this.#name, broker: session.connection.name, resent: this.#window.size },
      "producer ready",
    );
  }

  async #stayOpen(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#host;
    for (let session = this.#session; session !== undefined; ) {
      const loss = await waitFor(session.lost.promise, signal);
      const lostAt = clock.monotonic();
      logger.warn({ err: loss.error, pending: this.#window.size }, "producer lost, opening it again");
      if (loss.kind === "refused") await this.#closeOnBroker(session);
      this.#leave();
      if (this.#final !== undefined) return;
      session = await this.#reopen(this.#hint(session, loss), lostAt, loss.error.code, signal);
    }
  }

  async #reopen(
    hint: ConnectionTarget | undefined,
    lostAt: number,
    lossCode: string,
    signal: AbortSignal,
  ): Promise<ProducerSession> {
    const { clock, logger } = this.#host;
    let target = hint;
    if (target === undefined) await clock.sleep(this.#backoff.next(), signal);
    for (let said = lossCode; ; ) {
      try {
        return await this.#attempt(target, signal);
      } catch (reason) {
        signal.throwIfAborted();
        target = undefined;
        const error = asConnectorError(reason);
        if (isFinalAfterOpen(error, clock.monotonic() - lostAt, this.#options.operationTimeoutMs))
          throw error;
        if (error.code !== said) logger.warn({ err: error }, "producer still lost, trying again");
        said = error.code;
        await clock.sleep(this.#pauseAfter(error), signal);
      }
    }
  }

  /** Where the broker says the topic went; `undefined`: look it up. */
  #hint(session: ProducerSession, loss: Loss): ConnectionTarget | undefined {
    if (loss.kind !== "closed") return undefined;
    const { brokerServiceUrl: plain, brokerServiceUrlTls: tls } = loss.command;
    if ((this.#host.pool.tls ? tls : plain) === undefined) return undefined;
    const broker = this.#host.lookup.address(plain, tls, this.#options.topic);
    const { via, broker: before } = session.target;
    return { broker, via: via === before ? broker : via };
  }

  #pauseAfter(error: ConnectorError): number {
    const pause = this.#backoff.next();
    const unreachable =
      error.code === "PIO_PULSAR_UNREACHABLE" || error.code === "PIO_PULSAR_CONNECTION_LOST";
    return unreachable ? Math.min(pause, maxUnreachableMs) : pause;
  }

  /** Receipts and errors for what was sent before still arrive until the broker has answered. */
  async #closeOnBroker(session: ProducerSession): Promise<void> {
    const { connection } = session;
    const { producerId, topic } = this.#options;
    const what = `closing the producer for ${topic}`;
    const error = () => new ProtocolError(`${what} took too long`);
    try {
      await withDeadline({ clock: this.#host.clock, ms: closeMs, error }, neverAborted, (signal) =>
        connection.request("closeProducer", { producerId }, what, signal),
      );
    } catch (reason) {
      this.#host.logger.debug({ err: reason }, "producer not closed on its broker");
    }
  }

  #leave(): void {
    this.#session?.connection.detachProducer(this.#options.producerId, this.#session);
    this.#session = undefined;
  }

  #enqueue(frame: PendingFrame): void {
    const session = this.#session;
    const limit = session?.connection.maxMessageBytes;
    if (limit !== undefined && frame.messageBytes > limit) {
      this.#settlement.refuseFrame(frame, this.#settlement.tooLarge(frame, limit));
      return;
    }
    this.#window.push(frame);
    if (session !== undefined && session.lost.value === undefined) this.#write(session, frame);
  }

  #write(session: ProducerSession, frame: PendingFrame): void {
    frame.writes += 1;
    this.#options.metrics.written(frame.deliveries.length, frame.writes);
    session.connection.send(frame.pieces);
  }

  #refuseFrame(frame: PendingFrame | undefined, error: ConnectorError): void {
    if (frame === undefined) return;
    const refused = new MessageRefusedError(error.message, {
      cause: error,
      details: error.details,
      remedy: "check the limits that the topic's policies set for messages",
    });
    this.#settleFailed(frame, refused);
  }

  #changed(cause: ConnectorError): MessageRefusedError {
    return new MessageRefusedError(
      `a message to ${this.#options.topic} was changed after it was handed over`,
      {
        cause,
        remedy: "leave a record's value alone until it is acknowledged",
      },
    );
  }

  #settleFailed(frame: PendingFrame, error: ConnectorError): void {
    this.#window.remove(frame);
    this.#settlement.fail(frame, error, this.#window.firstId);
  }

  #fail(error: ConnectorError): void {
    if (this.#final !== undefined) return;
    this.#final = error;
    this.#options.onFailed();
    this.#host.logger.error({ err: error }, "producer failed for good");
    this.#discardBatch(error);
    this.#failAll(error);
    this.#session?.lost.happen({ kind: "refused", error });
  }

  #discardBatch(error: ConnectorError): void {
    const { deliveries, valueBytes } = this.#former.discard();
    this.#settlement.failDeliveries(deliveries, valueBytes, error);
  }

  #failAll(error: ConnectorError): void {
    for (const frame of this.#window.drain()) this.#settlement.fail(frame, error, undefined);
  }
}

const noBytes = new Uint8Array(0);
const neverAborted: AbortSignal = new AbortController().signal;
