import type { FanOutService, RegisteredConsumer } from "../fetch/fan-out-service.ts";
import type { ReadPosition, RecordPage } from "../shard/kinesis-stream.ts";
import type { ShardId } from "../shard/shard.ts";
import type { ConsumerMetrics } from "./consumer-metrics.ts";
import { PageMetrics } from "./page-metrics.ts";

/** Enhanced fan-out whose events are measured as the pages of polling are. KCL measures no subscription either. */
export class MeasuredFanOut implements FanOutService {
  readonly #service: FanOutService;
  readonly #pages: PageMetrics;

  constructor(service: FanOutService, metrics: ConsumerMetrics) {
    this.#service = service;
    this.#pages = new PageMetrics(metrics);
  }

  describeConsumer(name: string, signal: AbortSignal): Promise<RegisteredConsumer | undefined> {
    return this.#service.describeConsumer(name, signal);
  }

  registerConsumer(name: string, signal: AbortSignal): Promise<void> {
    return this.#service.registerConsumer(name, signal);
  }

  async subscribe(
    shardId: ShardId,
    consumerArn: string,
    position: ReadPosition,
    signal: AbortSignal,
  ): Promise<AsyncIterable<RecordPage>> {
    return this.#measured(shardId, await this.#service.subscribe(shardId, consumerArn, position, signal));
  }

  async *#measured(
    shardId: ShardId,
    events: AsyncIterable<RecordPage>,
  ): AsyncGenerator<RecordPage, void, undefined> {
    for await (const event of events) {
      this.#pages.came(shardId, event);
      yield event;
    }
  }
}
