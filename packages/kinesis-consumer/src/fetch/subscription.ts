import type { Clock } from "@pulsar-ts-io/core";
import { AwsUnreachableError } from "../errors.ts";
import { JoinedSignal } from "../joined-signal.ts";
import type { ReadPosition, RecordPage } from "../shard/kinesis-stream.ts";
import type { ShardId } from "../shard/shard.ts";
import type { FanOutService } from "./fan-out-service.ts";

/** An idle shard sends an empty event every five seconds: whoever is silent for longer is not there any more. KCL waits 60 s. */
const longestSilenceMs = 35_000;

export interface SubscriptionRequest {
  readonly shardId: ShardId;
  readonly consumerArn: string;
  readonly position: ReadPosition;
}

/** One subscription to a shard, watched: a connection that is half open ends it as a broken one does. */
export class Subscription implements Disposable {
  readonly #service: FanOutService;
  readonly #clock: Clock;
  readonly #request: SubscriptionRequest;
  readonly #over = new AbortController();
  readonly #life: JoinedSignal;
  #events: AsyncIterator<RecordPage> | undefined;
  #silent = false;

  constructor(
    service: FanOutService,
    request: SubscriptionRequest,
    options: { readonly clock: Clock; readonly signal: AbortSignal },
  ) {
    this.#service = service;
    this.#request = request;
    this.#clock = options.clock;
    this.#life = new JoinedSignal(options.signal, this.#over.signal);
  }

  /** Whether the service has answered the request. */
  get answered(): boolean {
    return this.#events !== undefined;
  }

  /** Whether it was ended because nothing was heard. */
  get silent(): boolean {
    return this.#silent;
  }

  /** Subscribes. Once, before the first {@link next}. */
  async open(): Promise<void> {
    const { shardId, consumerArn, position } = this.#request;
    const { signal } = this.#life;
    const asked = this.#service.subscribe(shardId, consumerArn, position, signal);
    const events = await this.#unlessSilent(asked);
    this.#events = events[Symbol.asyncIterator]();
  }

  /** The next event; `undefined` once the service has ended the subscription. */
  async next(): Promise<RecordPage | undefined> {
    if (this.#events === undefined) return undefined;
    const step = await this.#unlessSilent(this.#events.next());
    return step.done === true ? undefined : step.value;
  }

  /** Ends the subscription, whatever is under way. */
  [Symbol.dispose](): void {
    this.#over.abort(new Error("the subscription is not needed any more"));
    this.#life[Symbol.dispose]();
  }

  async #unlessSilent<T>(answer: Promise<T>): Promise<T> {
    const heard = new AbortController();
    using watching = new JoinedSignal(this.#life.signal, heard.signal);
    try {
      return await Promise.race([answer, this.#silence(watching.signal)]);
    } finally {
      heard.abort();
    }
  }

  async #silence(signal: AbortSignal): Promise<never> {
    await this.#clock.sleep(longestSilenceMs, signal);
    this.#silent = true;
    const { shardId } = this.#request;
    throw new AwsUnreachableError(`nothing was heard of ${shardId} for ${longestSilenceMs} ms`, {
      details: { shardId },
    });
  }
}
