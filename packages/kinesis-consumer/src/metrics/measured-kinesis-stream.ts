import type { StartPosition } from "@pulsar-ts-io/core";
import type { KinesisStream, ReadPosition, RecordPage } from "../shard/kinesis-stream.ts";
import type { Shard, ShardId } from "../shard/shard.ts";
import type { ConsumerMetrics } from "./consumer-metrics.ts";
import { PageMetrics } from "./page-metrics.ts";

const fetcher = "KinesisDataFetcher";

/** A stream whose calls for a shard are measured under KCL's names. */
export class MeasuredKinesisStream implements KinesisStream {
  readonly #stream: KinesisStream;
  readonly #pages: PageMetrics;

  constructor(stream: KinesisStream, metrics: ConsumerMetrics) {
    this.#stream = stream;
    this.#pages = new PageMetrics(metrics);
  }

  listShards(from: StartPosition | undefined, signal: AbortSignal): Promise<readonly Shard[]> {
    return this.#stream.listShards(from, signal);
  }

  createdMs(signal: AbortSignal): Promise<number | undefined> {
    return this.#stream.createdMs(signal);
  }

  openIterator(id: ShardId, position: ReadPosition, signal: AbortSignal): Promise<string> {
    return this.#pages
      .ofShard(id)
      .measure(`${fetcher}.getShardIterator`, "DETAILED", () =>
        this.#stream.openIterator(id, position, signal),
      );
  }

  async getRecords(id: ShardId, iterator: string, limit: number, signal: AbortSignal): Promise<RecordPage> {
    const page = await this.#pages
      .ofShard(id)
      .measure(`${fetcher}.getRecords`, "DETAILED", () =>
        this.#stream.getRecords(id, iterator, limit, signal),
      );
    this.#pages.came(id, page);
    return page;
  }

  serviceTimeMs(): number {
    return this.#stream.serviceTimeMs();
  }
}
