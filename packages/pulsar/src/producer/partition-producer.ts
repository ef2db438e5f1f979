import { Backoff, type ConnectorError, isRetryable, type Job, runTogether } from "@pulsar-ts-io/core";
import type { Codec } from "../compression.ts";
import type { ConnectionTarget } from "../connection/connection-pool.ts";
import { ProtocolError, PublisherClosedError } from "../errors.ts";
import type { Delivery, OutgoingMessage, PublisherOptions } from "../publisher.ts";
import { waitFor } from "../wait.ts";
import type { Commands } from "../wire/command-types.ts";
import type { Receipt } from "../wire/receipt.ts";
import { BatchTimer } from "./batch-timer.ts";
import { FrameFormer } from "./frame-former.ts";
import {
  chosenIdInKeyedBatch,
  invalidSequenceId,
  messageTooLarge,
  nameTaken,
  sendTimedOut,
} from "./message-failure.ts";
import { type PendingFrame, PendingWindow } from "./pending-window.ts";
import type { ProducerMetrics } from "./producer-metrics.ts";
import {
  type OpenedSession,
  type ProducerHost,
  type ProducerIdentity,
  ProducerOpener,
} from "./producer-opener.ts";
import type { ProducerSession, SessionOwner } from "./producer-session.ts";
import type { PublishingTrouble, WatchedProducer } from "./publishing-trouble.ts";
import { longestPauseMs, retrying, warnOfEachCode } from "./retrying.ts";
import { SendTimer } from "./send-timer.ts";
import { SequenceIds } from "./sequence-ids.ts";
import { Settlement } from "./settlement.ts";
import type { TopicLog } from "./topic-log.ts";
import { asConnectorError, isFinalAfterOpen, judgeSendError } from "./verdict.ts";

/** A session of this length was a good one: the next pause starts small again. */
const goodSessionMs = 10_000;
/** First pause before a producer is opened again, and the longest. */
const backoffMs = { initialMs: 100, maxMs: longestPauseMs };

export interface PartitionProducerOptions extends ProducerIdentity {
  /** What message ids say; -1 when the topic is not partitioned. */
  readonly partition: number;
  readonly publisher: PublisherOptions;
  readonly codec: Codec | undefined;
  /** How long a topic that is not found any more is waited for. */
  readonly operationTimeoutMs: number;
  /** Called with the bytes of memory that frames take beside their messages. */
  readonly onHeld: (bytes: number) => void;
  /** Called with the messages that were settled, and the bytes of memory that they held. */
  readonly onSettled: (messages: number, bytes: number) => void;
  /** Called when the producer fails for good, before its messages do. */
  readonly onFailed: (error: ConnectorError) => void;
  /**
   * Called before the producer is opened again: opening one for a partition that was deleted would create a topic that no
   * subscription of the partitioned topic reads.
   *
   * @param since monotonic time at which the producer was lost.
   * @throws PartitionsGoneError when the partition is gone; why that is not known.
   */
  readonly checkPartition: (since: number, signal: AbortSignal) => Promise<void>;
  /** The same after the broker has opened the producer, before anything is published by it. */
  readonly checkOpened: (signal: AbortSignal) => Promise<void>;
  /** Called with the messages that a non-persistent topic dropped. */
  readonly onDropped: (messages: number) => void;
  readonly metrics: ProducerMetrics;
  /** Of all producers of the topic that its partitions belong to. */
  readonly log: TopicLog;
  readonly trouble: PublishingTrouble;
  /** Whether the topic has no partitions: then each line of this producer is one of the topic. */
  readonly isWhole: boolean;
}

/**
 * Publishes to one topic that is not partitioned, or to one partition.
 *
 * Every frame stays in the window until the broker confirms it. When the session is lost, the producer is opened again, and
 * the very same frames are written in order before anything new.
 */
export class PartitionProducer implements SessionOwner, WatchedProducer {
  readonly #options: PartitionProducerOptions;
  readonly #host: ProducerHost;
  readonly #opener: ProducerOpener;
  readonly #window = new PendingWindow();
  readonly #former: FrameFormer;
  readonly #timer: BatchTimer;
  readonly #settlement: Settlement;
  readonly #ids = new SequenceIds();
  readonly #backoff = new Backoff(backoffMs);
  #session: ProducerSession | undefined;
  /** Monotonic time at which the session was opened. */
  #openSince = 0;
  #lostSince: number | undefined;
  #final: ConnectorError | undefined;

  constructor(host: ProducerHost, options: PartitionProducerOptions) {
    const { publisher, codec } = options;
    const { clock, logger } = host;
    this.#host = host;
    this.#options = options;
    this.#opener = new ProducerOpener(host, options);
    this.#timer = new BatchTimer(clock, publisher.batching?.maxDelayMs ?? 0);
    this.#former = new FrameFormer({
      codec,
      batching: publisher.batching,
      clock,
      emit: (frame) => this.#enqueue(frame),
      onHeld: options.onHeld,
      onBatchStarted: () => this.#timer.wake(),
    });
    this.#settlement = new Settlement({ ...options, clock, logger });
  }

  get key(): string {
    return `${this.#options.topic} ${this.#options.producerId}`;
  }

  get topic(): string {
    return this.#options.topic;
  }

  get lostSince(): number | undefined {
    return this.#final === undefined ? this.#lostSince : undefined;
  }

  get openSince(): number | undefined {
    return this.#session === undefined ? undefined : this.#openSince;
  }

  get unconfirmedSince(): number | undefined {
    return this.#window.oldestSince;
  }

  probe(why: ConnectorError): void {
    this.#session?.connection.probe(why);
  }

  /** Why nothing can be published any more. */
  get final(): ConnectorError | undefined {
    return this.#final;
  }

  /** The highest sequence id that the broker had of the producer's name when it was opened; -1 for none. */
  get foundId(): number {
    return this.#ids.found;
  }

  /** The producer's name: the broker's where none was given. */
  get name(): string | undefined {
    return this.#opener.name;
  }

  /**
   * Opens the producer for the first time.
   *
   * @param deadline monotonic time until which transient failures are tried again.
   * @throws why it cannot be published to this topic.
   */
  async open(deadline: number, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#host;
    const { trouble } = this.#options;
    const warn = warnOfEachCode(logger, "producer not opened, trying again");
    trouble.add(this);
    const policy = {
      clock,
      backoff: this.#backoff,
      onFailed: (error: ConnectorError) => {
        warn(error);
        trouble.failed(this.key, error);
      },
      isFinal: (error: ConnectorError, pauseMs: number) =>
        !isRetryable(error) || clock.monotonic() + pauseMs >= deadline,
    };
    await retrying(policy, signal, async () =>
      this.#resume(await this.#opener.open(this, undefined, signal)),
    );
  }

  /** Keeps the opened producer open until `signal` aborts or it fails for good. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await runTogether(signal, [
        (stop) => this.#stayOpen(stop),
        (stop) => this.#timer.run(this.#former, stop),
        ...this.#timeLimits(),
      ]);
    } catch (error) {
      if (!signal.aborted) this.fail(asConnectorError(error));
    }
  }

  /**
   * Publishes `message`.
   *
   * @param chosenId the caller's sequence id, which must be above every one before it.
   * @param heldBytes what the budget counts for the message.
   */
  send(message: OutgoingMessage, delivery: Delivery, chosenId: number | undefined, heldBytes: number): void {
    const refusal = this.#final ?? this.#checkSequence(chosenId);
    if (refusal !== undefined) {
      this.#settlement.refuse([delivery], heldBytes, refusal);
      return;
    }
    const sequenceId = this.#ids.take(chosenId);
    const entry = { message, sequenceId, chosenId: chosenId !== undefined, delivery, heldBytes };
    this.#former.add(entry, !this.#ids.mayRepeat(sequenceId));
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

  /** Closes the producer on its broker; what is not settled by then fails. {@link run} must have ended, or never begun. */
  async close(): Promise<void> {
    const closed = new PublisherClosedError(`the publisher to ${this.#options.topic} was closed`);
    this.#final ??= closed;
    this.#discardBatch(closed);
    this.#options.log.left(this.#options.producerId);
    this.#options.trouble.remove(this);
    const session = this.#session;
    const loss = session?.lost.value;
    if (session !== undefined && (loss === undefined || loss.kind === "refused"))
      await this.#opener.close(session);
    this.#leave();
    this.#failAll(closed);
  }

  receipt(session: ProducerSession, receipt: Receipt): void {
    const match = this.#window.match(receipt.sequenceId, receipt.highestSequenceId);
    if (match.kind === "confirmed") {
      this.#backoff.reset();
      this.#settlement.confirm(match.frame, receipt, this.#window.firstId);
      match.frame.release();
    } else if (match.kind === "gap" && this.#options.topic.startsWith("non-persistent:")) {
      // Such a topic answers what it drops at once, and what it keeps later.
      const frame = this.#window.take(receipt.sequenceId);
      if (frame === undefined) return;
      this.#settlement.confirm(frame, receipt, this.#window.firstId);
      frame.release();
    } else if (match.kind === "gap") {
      const { name } = session.connection;
      const error = new ProtocolError(
        `${name} confirmed sequence id ${receipt.sequenceId} of ${this.#options.topic} where ${match.expected} was due`,
      );
      session.connection.abandon(error);
    }
  }

  sendError(session: ProducerSession, failure: Commands["sendError"]): void {
    const frame = this.#window.find(failure.sequenceId);
    const verdict = judgeSendError(failure, this.#options.topic, frame);
    if (verdict.kind === "final") this.fail(verdict.error);
    else if (verdict.kind === "reopen") session.lost.happen({ kind: "refused", error: verdict.error });
    else if (frame !== undefined) this.#settleFailed(frame, verdict.error);
  }

  migrated(command: Commands["topicMigrated"]): void {
    this.#host.logger.info({ to: this.#opener.migrate(command) }, "topic migrated to another cluster");
  }

  /** From here to the last frame written again nothing waits: no new message can come between. */
  #resume({ session, success }: OpenedSession): ProducerSession {
    const { maxMessageBytes } = session.connection;
    const { topic, producerId } = this.#options;
    if (session.lost.value !== undefined) throw session.lost.value.error;
    const last = success.lastSequenceId ?? -1;
    if (!this.#ids.begun) this.#ids.begin(last);
    else if (this.#ids.chosen) this.#admit(session, last);
    const schemaVersion =
      success.schemaVersion === undefined ? noBytes : Uint8Array.from(success.schemaVersion);
    this.#former.describe({ producerId, producerName: success.producerName, schemaVersion, maxMessageBytes });
    this.#session = session;
    this.#openSince = this.#host.clock.monotonic();
    const fits = (frame: PendingFrame) => frame.messageBytes <= maxMessageBytes;
    const frames = this.#window.frames();
    for (const frame of frames.filter(fits)) this.#write(session, frame);
    // Last: whoever learns of one may send another, which must not leave before these.
    for (const frame of frames.filter((one) => !fits(one))) {
      this.#settleFailed(frame, messageTooLarge(topic, frame.messageBytes, maxMessageBytes));
    }
    const fields = { producer: this.name, broker: session.connection.name, resent: this.#window.size };
    this.#lostSince = undefined;
    this.#options.trouble.recovered(this.key);
    this.#options.log.ready(producerId, fields, this.#options.isWhole);
    return session;
  }

  /**
   * Somebody else may have published under our name while we had no session: he had the same messages, but his own frames.
   * A frame that begins at an id the broker has, and ends above it, would be dropped as a whole, what is new in it included.
   */
  #admit(session: ProducerSession, last: number): void {
    this.#former.flush();
    for (const frame of this.#window.frames()) {
      if (frame.sequenceId > last || last >= frame.highestSequenceId) continue;
      this.#session = session; // whoever closes us closes it
      throw nameTaken(this.#options.topic, this.name, last);
    }
    this.#ids.repeatUpTo(last);
  }

  async #stayOpen(signal: AbortSignal): Promise<void> {
    const { clock } = this.#host;
    for (let session = this.#session; session !== undefined; ) {
      const loss = await waitFor(session.lost.promise, signal);
      if (this.#final !== undefined) return;
      let lostAt = clock.monotonic();
      if (lostAt - this.#openSince >= goodSessionMs) this.#backoff.reset();
      this.#lostSince = lostAt;
      this.#options.log.lost(this.#options.producerId, loss.error, this.#window.size);
      if (loss.kind === "refused") await this.#opener.close(session);
      this.#leave();
      let hint = this.#opener.hint(session, loss);
      if (hint === undefined) await clock.sleep(this.#backoff.next(), signal);
      const policy = {
        clock,
        backoff: this.#backoff,
        onFailed: (error: ConnectorError) => {
          this.#options.log.stillLost(error);
          this.#options.trouble.failed(this.key, error);
        },
        isFinal: (error: ConnectorError, _pauseMs: number, refusedForMs: number) =>
          isFinalAfterOpen(error, {
            refusedForMs,
            patienceMs: this.#options.operationTimeoutMs,
            name: this.name,
          }),
      };
      session = await retrying(policy, signal, async () => {
        const target = hint;
        hint = undefined;
        try {
          // The service URL is the old cluster's.
          if (!this.#opener.migrated) await this.#options.checkPartition(lostAt, signal);
          return this.#resume(await this.#openChecked(target, signal));
        } catch (error) {
          lostAt = clock.monotonic();
          throw error;
        }
      });
    }
  }

  /** Opens the producer again, for a partition that is still there after it. */
  async #openChecked(target: ConnectionTarget | undefined, signal: AbortSignal): Promise<OpenedSession> {
    const opened = await this.#opener.open(this, target, signal);
    try {
      if (!this.#opener.migrated) await this.#options.checkOpened(signal);
      return opened;
    } catch (error) {
      if (opened.session.lost.value === undefined) await this.#opener.close(opened.session);
      this.#opener.detach(opened.session);
      throw error;
    }
  }

  #checkSequence(chosenId: number | undefined): ConnectorError | undefined {
    if (chosenId === undefined) return undefined;
    const { topic, publisher } = this.#options;
    if (publisher.batching?.byKey === true) return chosenIdInKeyedBatch(topic);
    const { last } = this.#ids;
    return chosenId > last ? undefined : invalidSequenceId(topic, chosenId, last);
  }

  #leave(): void {
    if (this.#session !== undefined) this.#opener.detach(this.#session);
    this.#session = undefined;
  }

  #enqueue(frame: PendingFrame): void {
    const session = this.#session;
    const limit = session?.connection.maxMessageBytes;
    if (limit !== undefined && frame.messageBytes > limit) {
      const error = messageTooLarge(this.#options.topic, frame.messageBytes, limit);
      this.#settlement.refuse(frame.deliveries, frame.heldBytes, error);
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

  #settleFailed(frame: PendingFrame, error: ConnectorError): void {
    this.#window.remove(frame);
    this.#settlement.fail(frame, error, this.#window.firstId);
  }

  /** Whether the topic has migrated to another cluster. */
  get hasMigrated(): boolean {
    return this.#opener.migrated;
  }

  /** Fails what is not confirmed, and everything that follows. @param isFirst whether the topic's log has no line about it yet. */
  fail(error: ConnectorError, isFirst = true): void {
    if (this.#final !== undefined) return;
    this.#final = error;
    this.#options.log.left(this.#options.producerId);
    this.#options.trouble.failed(this.key, error);
    if (isFirst) this.#host.logger.error({ err: error }, "producer failed for good");
    this.#options.onFailed(error);
    this.#discardBatch(error);
    this.#failAll(error);
    this.#session?.lost.happen({ kind: "refused", error });
  }

  #timeLimits(): readonly Job[] {
    const { sendTimeoutMs } = this.#options.publisher;
    if (sendTimeoutMs === 0) return [];
    const timer = new SendTimer(this.#host.clock, sendTimeoutMs);
    return [(stop) => timer.run(this.#window, () => this.#expire(), stop)];
  }

  /** The oldest frame has waited too long: as in Java, everything that is not confirmed fails with it. */
  #expire(): void {
    const { topic, publisher } = this.#options;
    const error = sendTimedOut(topic, publisher.sendTimeoutMs);
    this.#host.logger.warn({ err: error, pending: this.#window.size }, "messages not confirmed in time");
    this.#discardBatch(error);
    this.#failAll(error);
  }

  #discardBatch(error: ConnectorError): void {
    const discarded = this.#former.discard();
    this.#settlement.failDeliveries(discarded.deliveries, discarded.heldBytes, error);
  }

  #failAll(error: ConnectorError): void {
    for (const frame of this.#window.drain()) this.#settlement.fail(frame, error, undefined);
  }
}

const noBytes = new Uint8Array(0);
