import type { Clock } from "@pulsar-ts-io/core";
import { childShards, pageJson, readPage } from "./record-page.ts";
import type { ServiceError } from "./service-error.ts";
import type { Shard } from "./shard.ts";
import type { Stream } from "./stream.ts";
import type { GrantedSubscription } from "./stream-consumers.ts";

export interface SubscriptionOrigin {
  readonly stream: Stream;
  readonly shard: Shard;
  /** Of the first record. */
  readonly offset: number;
  readonly clock: Clock;
}

/** AWS: a subscription ends after five minutes. */
const lifeMs = 300_000;
/** AWS: within this time of a success another subscription of the same consumer to the same shard is refused. */
const exclusiveMs = 5_000;
/** An idle shard sends an empty event about as often; observed, not documented. */
const idleMs = 5_000;
/** What we put into one event. AWS does not tell its limit; a record that is larger comes alone. */
const eventLimits = { maxCount: 10_000, maxBytes: 1_048_576 };

/** A consumer that is being sent the records of one shard. */
export class Subscription implements GrantedSubscription {
  readonly #stream: Stream;
  readonly #shardId: string;
  readonly #clock: Clock;
  /** On the monotonic clock. */
  readonly #startedMs: number;
  #offset: number;
  #ended: ServiceError | undefined;
  #wake: () => void = () => {};

  constructor(origin: SubscriptionOrigin) {
    this.#stream = origin.stream;
    this.#shardId = origin.shard.id;
    this.#offset = origin.offset;
    this.#clock = origin.clock;
    this.#startedMs = origin.clock.monotonic();
  }

  get exclusive(): boolean {
    return this.#clock.monotonic() - this.#startedMs < exclusiveMs;
  }

  end(why: ServiceError): void {
    this.#ended ??= why;
    this.#wake();
  }

  /**
   * The events as JSON, each when the caller asks for it and there is something to say. Ends after five minutes, and after the
   * event that tells the end of the shard.
   *
   * @throws ServiceError why it was ended.
   */
  async *events(signal: AbortSignal): AsyncGenerator<readonly Uint8Array[], void, undefined> {
    const endMs = this.#startedMs + lifeMs;
    let talkedMs = this.#startedMs;
    for (;;) {
      signal.throwIfAborted();
      if (this.#ended !== undefined) throw this.#ended;
      const leftMs = endMs - this.#clock.monotonic();
      if (leftMs <= 0) return;
      const nowMs = this.#clock.now();
      const shard = this.#stream.shard(this.#shardId, nowMs);
      const page = readPage(shard, this.#offset, eventLimits, nowMs);
      const quietMs = this.#clock.monotonic() - talkedMs;
      if (page.slice.count === 0 && !page.atEnd && quietMs < idleMs) {
        // Whole milliseconds: the clock may not notice the small rest that its own fractions leave over.
        await this.#pause(shard, Math.ceil(Math.min(idleMs - quietMs, leftMs)), signal);
        continue;
      }
      this.#offset = page.next;
      talkedMs = this.#clock.monotonic();
      yield pageJson(page, {
        ContinuationSequenceNumber: page.atEnd ? null : String(shard.continuation(page.next, nowMs)),
        ...(page.atEnd ? { ChildShards: childShards(this.#stream, shard, nowMs) } : {}),
      });
      if (page.atEnd) return;
    }
  }

  /** Waits for time to pass or something to happen, whichever is first. */
  async #pause(shard: Shard, ms: number, signal: AbortSignal): Promise<void> {
    const pause = new AbortController();
    const wake = () => pause.abort(awake);
    const forget = shard.watch(wake);
    signal.addEventListener("abort", wake, { once: true });
    this.#wake = wake;
    try {
      await this.#clock.sleep(ms, pause.signal);
    } catch (error) {
      if (error !== awake) throw error;
    } finally {
      forget();
      signal.removeEventListener("abort", wake);
    }
  }
}

const awake = new Error("something happened");
