import {
  Backoff,
  type Clock,
  codeOf,
  hasCode,
  IllegalStateError,
  isRetryable,
  type Outage,
  type Troubles,
} from "@pulsar-ts-io/core";
import { FanOutUnavailableError } from "../errors.ts";
import { pollInstead } from "./fan-out-remedy.ts";
import type { FanOutService } from "./fan-out-service.ts";

/** Kinesis answers 20 questions about consumers a second in an account; making one takes it a few seconds. */
const firstLookMs = 200;
const longestLookMs = 1_000;
/** For how long what may heal is tried again, milliseconds. */
const retryMs = 5_000;
/**
 * For how long a throttle, or a limit that may pass, is waited for, milliseconds. An account may describe consumers 20 times a second
 * and register 5 at a time, and a fleet that starts together shares both.
 */
const throttledMs = 60_000;
const limitedMs = 30_000;
/** For how long in all, when one reason follows another. */
const longestMs = 120_000;
const activeWithinMs = 30_000;

/**
 * The registered consumer in whose name all workers of the application read; Java's too, when its name is the application's.
 *
 * It is never deregistered: another worker may be reading with it.
 *
 * @see FanOutConsumerRegistration in KCL
 */
export class FanOutConsumer {
  readonly service: FanOutService;
  /** Whether the service was heard to say that a shard has nothing new. */
  speaksOfIdleShards = false;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #outage: Outage;
  #arn: string | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    service: FanOutService,
    name: string,
    { clock, troubles }: { readonly clock: Clock; readonly troubles: Troubles },
  ) {
    this.service = service;
    this.#name = name;
    this.#clock = clock;
    this.#outage = troubles.of("consumer for enhanced fan-out");
  }

  /** Of the consumer as it was last seen. */
  get arn(): string {
    if (this.#arn === undefined) throw new IllegalStateError("the fan-out consumer is not registered yet");
    return this.#arn;
  }

  /**
   * Finds the consumer, or registers it, and waits until it may subscribe: a minute for a throttle, 30 s for the limit of consumers.
   *
   * @throws FanOutUnavailableError (`PIO_FAN_OUT_UNAVAILABLE`) and the errors `PIO_AWS_…`.
   */
  async register(signal: AbortSignal): Promise<void> {
    try {
      await this.#register(signal);
    } finally {
      this.#outage.left(this.#name);
    }
  }

  async #register(signal: AbortSignal): Promise<void> {
    const startMs = this.#clock.monotonic();
    const pause = new Backoff({ initialMs: firstLookMs, maxMs: longestLookMs });
    /** What the consumer has been waited for since when: each reason has its own patience. */
    let waiting: { readonly why: string | undefined; readonly sinceMs: number } | undefined;
    const waitedMs = (why: string | undefined) => {
      if (waiting?.why !== why) waiting = { why, sinceMs: this.#clock.monotonic() };
      const now = this.#clock.monotonic();
      return now - startMs > longestMs ? Number.POSITIVE_INFINITY : now - (waiting?.sinceMs ?? now);
    };
    for (let neverActive = false; ; ) {
      try {
        const found = await this.service.describeConsumer(this.#name, signal);
        if (found?.active === true) {
          this.#outage.recovered(this.#name);
          this.#arn = found.arn;
          return;
        }
        if (found === undefined) await this.service.registerConsumer(this.#name, signal);
        neverActive = waitedMs(undefined) > activeWithinMs;
      } catch (error) {
        signal.throwIfAborted();
        if (!isRetryable(error) || waitedMs(codeOf(error)) > patienceMs(error)) throw error;
        this.#outage.failed(this.#name, error);
      }
      if (neverActive) throw this.#neverActive();
      await this.#clock.sleep(pause.next(), signal);
    }
  }

  /**
   * Makes sure of the consumer after a subscription found something missing.
   *
   * @param failedArn in whose name it was.
   * @returns whether that consumer is there: then it is the shard that is missing.
   */
  async verify(failedArn: string, signal: AbortSignal): Promise<boolean> {
    // All shards miss a deleted consumer together: the first of them registers it anew.
    const done = this.#turn.then(async () => {
      signal.throwIfAborted();
      if (this.#arn === failedArn) await this.register(signal);
      return this.#arn === failedArn;
    });
    this.#turn = done.catch(() => {});
    return await done;
  }

  #neverActive(): FanOutUnavailableError {
    return new FanOutUnavailableError(
      `the consumer "${this.#name}" for enhanced fan-out was not active after ${activeWithinMs} ms`,
      { details: { consumer: this.#name }, remedy: `try again later, or ${pollInstead}` },
    );
  }
}

function patienceMs(error: unknown): number {
  if (hasCode(error, "PIO_AWS_THROTTLED")) return throttledMs;
  return hasCode(error, "PIO_FAN_OUT_UNAVAILABLE") ? limitedMs : retryMs;
}
