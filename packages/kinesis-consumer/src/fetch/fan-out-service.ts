import type { ReadPosition, RecordPage } from "../shard/kinesis-stream.ts";
import type { ShardId } from "../shard/shard.ts";

/** A reader of a stream that Kinesis knows by name and gives 2 MB a second and shard of its own. */
export interface RegisteredConsumer {
  readonly arn: string;
  /** Only then may it subscribe. Before, it is being made, or taken away. */
  readonly active: boolean;
}

/**
 * Enhanced fan-out of one stream, as the consumer needs it. Every call makes one attempt and rejects with a coded error.
 *
 * All of them: StreamNotFoundError (`PIO_STREAM_NOT_FOUND`) and the errors `PIO_AWS_…`.
 */
export interface FanOutService {
  /** The consumer of that name, if there is one. */
  describeConsumer(name: string, signal: AbortSignal): Promise<RegisteredConsumer | undefined>;
  /**
   * Registers a consumer; one that is there already is no failure.
   *
   * @throws FanOutUnavailableError (`PIO_FAN_OUT_UNAVAILABLE`) when the stream has as many as it may.
   */
  registerConsumer(name: string, signal: AbortSignal): Promise<void>;
  /**
   * Subscribes to a shard for five minutes at most, and ends the subscription that this consumer had to it.
   *
   * Each event is a page whose `next` is its continuation number. The next event is pulled when it is asked for. The end of the
   * iteration says nothing about the shard: a connection that was cut looks the same.
   *
   * @param signal ends the subscription whenever it aborts.
   * @throws SubscriptionInUseError (`PIO_SUBSCRIPTION_IN_USE`), ShardNotFoundError (`PIO_SHARD_NOT_FOUND`) when the shard or the
   *   consumer is not known, PositionRefusedError (`PIO_POSITION_REFUSED`); each call or its iteration.
   */
  subscribe(
    shardId: ShardId,
    consumerArn: string,
    position: ReadPosition,
    signal: AbortSignal,
  ): Promise<AsyncIterable<RecordPage>>;
}
