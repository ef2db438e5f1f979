import { Backoff, type Clock, IllegalStateError, isRetryable } from "@pulsar-ts-io/core";
import { FanOutUnavailableError } from "../errors.ts";
import { pollInstead } from "./fan-out-remedy.ts";
import type { FanOutService } from "./fan-out-service.ts";

/** Kinesis answers 20 questions about consumers a second in an account; making one takes it a few seconds. */
const firstLookMs = 200;
const longestLookMs = 1_000;
/** For how long what may heal is tried again. */
const retryMs = 5_000;
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
  #arn: string | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(service: FanOutService, name: string, clock: Clock) {
    this.service = service;
    this.#name = name;
    this.#clock = clock;
  }

  /** Of the consumer as it was last seen. */
  get arn(): string {
    if (this.#arn === undefined) throw new IllegalStateError("the fan-out consumer is not registered yet");
    return this.#arn;
  }

  /**
   * Finds the consumer, or registers it, and waits until it may subscribe.
   *
   * @throws FanOutUnavailableError (`PIO_FAN_OUT_UNAVAILABLE`) and the errors `PIO_AWS_…`.
   */
  async register(signal: AbortSignal): Promise<void> {
    const startMs = this.#clock.monotonic();
    const pause = new Backoff({ initialMs: firstLookMs, maxMs: longestLookMs });
    for (;;) {
      const forMs = this.#clock.monotonic() - startMs;
      try {
        const found = await this.service.describeConsumer(this.#name, signal);
        if (found?.active === true) {
          this.#arn = found.arn;
          return;
        }
        if (forMs > activeWithinMs) throw this.#neverActive();
        if (found === undefined) await this.service.registerConsumer(this.#name, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!isRetryable(error) || forMs > retryMs) throw error;
      }
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
