import { type Clock, hasCode, isRetryable, type Outage } from "@pulsar-ts-io/core";
import type { ReadPosition, RecordPage } from "../shard/kinesis-stream.ts";
import type { ShardId } from "../shard/shard.ts";
import type { FanOutConsumer } from "./fan-out-consumer.ts";
import type { FetchedPage, ReadCursor, ReadEnd, ReaderMeter } from "./polling.ts";
import type { Grant, ReadBudget } from "./read-budget.ts";
import type { ReadingSigns } from "./reading-signs.ts";
import { Subscription } from "./subscription.ts";
import { SubscriptionPace } from "./subscription-pace.ts";

/** A subscription lasts five minutes. One that ends well before was cut off, perhaps by a later owner of the lease. */
const wholeSubscriptionMs = 290_000;

/** A shard to subscribe to. */
export interface SubscribedShard {
  readonly id: ShardId;
  readonly cursor: ReadCursor;
  /** Renews the lease at once, and so learns whether it is still ours; aborts the reader's signal when it is not. */
  renew(signal: AbortSignal): Promise<unknown>;
}

export interface FanOutOptions {
  readonly clock: Clock;
  readonly budget: ReadBudget;
  readonly outage: Outage;
  readonly meter: ReaderMeter;
  readonly signs: ReadingSigns;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/**
 * Yields the pages of one shard in order, as they come, until the shard ends. The counterpart of `pollShard`.
 *
 * One event at a time is pulled and waits for room in the budget; meanwhile the connection holds the service back. What is
 * refused for good is thrown: PositionRefusedError (`PIO_POSITION_REFUSED`) when the position is refused twice, and the errors
 * `PIO_AWS_…`.
 *
 * @see FanOutRecordsPublisher in KCL, which resumes after the checkpoint once connected: ours does so after an accepted event only.
 */
export async function* subscribeToShard(
  consumer: FanOutConsumer,
  shard: SubscribedShard,
  options: FanOutOptions & { readonly signal: AbortSignal },
): AsyncGenerator<FetchedPage, ReadEnd, undefined> {
  const reader = new FanOutReader(consumer, shard, options);
  for (;;) {
    const end = yield* reader.subscription(options.signal);
    if (end !== undefined) return end;
  }
}

interface PulledEvent extends RecordPage {
  readonly bytes: number;
  /** The room that was set aside for it. */
  readonly grant: Grant | undefined;
}

class FanOutReader {
  readonly #consumer: FanOutConsumer;
  readonly #shard: SubscribedShard;
  readonly #options: FanOutOptions;
  readonly #pace: SubscriptionPace;
  /** Of the last accepted event, which may have been empty. Good for resuming only: it may name no record. */
  #continuation: string | undefined;
  #refusals = 0;
  /** What the next event will probably take; `undefined` when it is not known that one comes soon. */
  #expected: { readonly records: number; readonly recordBytes: number } | undefined;

  constructor(consumer: FanOutConsumer, shard: SubscribedShard, options: FanOutOptions) {
    this.#consumer = consumer;
    this.#shard = shard;
    this.#options = options;
    this.#pace = new SubscriptionPace(options.clock, options.random);
  }

  /** Subscribes once. @returns the shard's end; `undefined` when it is to be subscribed to again. */
  async *subscription(signal: AbortSignal): AsyncGenerator<FetchedPage, ReadEnd | undefined, undefined> {
    const { clock, signs } = this.#options;
    signs.resting(this.#pace.waitMs);
    await this.#pace.wait(signal);
    signs.asking();
    const { arn: consumerArn, service } = this.#consumer;
    const request = { shardId: this.#shard.id, consumerArn, position: this.#position };
    using subscription = new Subscription(service, request, { clock, signal });
    try {
      await subscription.open();
      this.#pace.subscribed();
      return yield* this.#events(subscription, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (subscription.silent && this.#shouldSpeak(subscription)) signs.cutOff();
      return await this.#recover(error, consumerArn, signal);
    }
  }

  /** AWS says something every five seconds. Emulators answer the subscription, and then may say nothing of an idle shard. */
  #shouldSpeak(subscription: Subscription): boolean {
    return !subscription.answered || this.#consumer.speaksOfIdleShards;
  }

  get #position(): ReadPosition {
    return this.#continuation === undefined
      ? this.#shard.cursor.position
      : { kind: "after-sequence", sequenceNumber: this.#continuation };
  }

  async *#events(
    subscription: Subscription,
    signal: AbortSignal,
  ): AsyncGenerator<FetchedPage, ReadEnd | undefined, undefined> {
    const startMs = this.#options.clock.monotonic();
    for (let heard = false; ; heard = true) {
      const grant = await this.#reserve(signal);
      const event = await this.#pull(subscription, grant);
      if (event === undefined) {
        if (!heard) {
          this.#options.signs.failed();
          this.#pace.failed();
        }
        return await this.#ended(startMs, signal);
      }
      if (event.next === undefined && event.children.length === 0) {
        this.#disbelieve(event);
        return undefined;
      }
      this.#wellHeard(event);
      if (event.records.length > 0) yield await this.#admit(event, signal);
      if (event.next === undefined) return { kind: "shard-end", children: event.children };
      this.#continuation = event.next;
    }
  }

  /** Neither an end nor a way on: the shard is subscribed to again at the same position. */
  #disbelieve({ grant }: PulledEvent): void {
    this.#cancel(grant);
    this.#options.signs.failed();
    this.#pace.failed();
  }

  /** The service has ended the subscription, or the connection was cut: the two look the same. */
  async #ended(startMs: number, signal: AbortSignal): Promise<undefined> {
    if (this.#options.clock.monotonic() - startMs < wholeSubscriptionMs) await this.#shard.renew(signal);
  }

  #wellHeard(event: RecordPage): void {
    if (event.records.length === 0 && event.next !== undefined) this.#consumer.speaksOfIdleShards = true;
    this.#options.signs.answered(event.records.length, event.millisBehindLatest);
    this.#pace.heard();
    this.#refusals = 0;
    this.#options.outage.recovered(this.#shard.id);
  }

  /**
   * Sets room aside for the next event while there is more to read: it takes about what the last one took. An idle shard
   * sets nothing aside, and its next event waits for room once it has come.
   */
  async #reserve(signal: AbortSignal): Promise<Grant | undefined> {
    const expected = this.#expected;
    if (expected === undefined) return undefined;
    this.#options.signs.heldBack();
    const { records, recordBytes } = expected;
    return await this.#options.budget.acquire({ wanted: records, expected: records, recordBytes }, signal);
  }

  /** The next event, and what was set aside for it. */
  async #pull(subscription: Subscription, grant: Grant | undefined): Promise<PulledEvent | undefined> {
    this.#options.signs.asking();
    let page: RecordPage | undefined;
    try {
      page = await subscription.next();
    } finally {
      if (page === undefined || page.records.length === 0) this.#cancel(grant);
    }
    if (page === undefined) return undefined;
    const records = page.records.length;
    let bytes = 0;
    for (const record of page.records) bytes += record.Data?.byteLength ?? 0;
    const more = records > 0 && page.millisBehindLatest > 0 && page.next !== undefined;
    this.#expected = more ? { records, recordBytes: Math.max(1, Math.ceil(bytes / records)) } : undefined;
    return { ...page, bytes, grant };
  }

  #cancel(grant: Grant | undefined): void {
    if (grant !== undefined) this.#options.budget.cancel(grant);
  }

  /** Waits until there is room for the event. */
  async #admit({ bytes, grant, ...page }: PulledEvent, signal: AbortSignal): Promise<FetchedPage> {
    const { budget, signs } = this.#options;
    signs.heldBack();
    await budget.admit(grant, { records: page.records.length, bytes }, signal);
    return { page, bytes };
  }

  /** Deals with a subscription that was refused, or broke. @returns the end, when the shard is not known any more. */
  async #recover(error: unknown, consumerArn: string, signal: AbortSignal): Promise<ReadEnd | undefined> {
    const { meter, outage, signs } = this.#options;
    if (hasCode(error, "PIO_STREAM_NOT_FOUND")) return { kind: "gone" };
    if (hasCode(error, "PIO_SHARD_NOT_FOUND")) return await this.#whichIsMissing(consumerArn, signal);
    if (hasCode(error, "PIO_SUBSCRIPTION_IN_USE")) {
      await this.#shard.renew(signal);
      signs.failed();
      this.#pace.inUse();
      return undefined;
    }
    if (hasCode(error, "PIO_POSITION_REFUSED")) this.#refused(error);
    else if (!isRetryable(error)) throw error;
    else if (hasCode(error, "PIO_AWS_THROTTLED")) {
      meter.throttled();
      signs.throttled();
    } else {
      signs.failed();
      outage.failed(this.#shard.id, error);
    }
    this.#pace.failed();
    return undefined;
  }

  #refused(error: unknown): void {
    this.#continuation = undefined;
    this.#options.signs.failed();
    this.#refusals += 1;
    // A time that has not come yet for the service is one it will accept later.
    if (this.#refusals > 1 && this.#shard.cursor.position.kind !== "at-timestamp") throw error;
  }

  async #whichIsMissing(consumerArn: string, signal: AbortSignal): Promise<ReadEnd | undefined> {
    try {
      if (await this.#consumer.verify(consumerArn, signal)) return { kind: "gone" };
    } catch (error) {
      signal.throwIfAborted();
      return await this.#recover(error, consumerArn, signal);
    }
    return undefined;
  }
}
