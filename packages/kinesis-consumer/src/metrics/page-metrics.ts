import type { RecordPage } from "../shard/kinesis-stream.ts";
import type { ShardId } from "../shard/shard.ts";
import type { ConsumerMetrics } from "./consumer-metrics.ts";
import type { MetricScope } from "./metric-scope.ts";

/** What each page tells of its shard, whichever way it came. What it brings is added when it is accepted. */
export class PageMetrics {
  readonly #metrics: ConsumerMetrics;
  readonly #application: MetricScope;
  readonly #shards = new Map<ShardId, MetricScope>();

  constructor(metrics: ConsumerMetrics) {
    this.#metrics = metrics;
    this.#application = metrics.ofOperation("ApplicationTracker");
  }

  ofShard(id: ShardId): MetricScope {
    let scope = this.#shards.get(id);
    if (scope === undefined) {
      scope = this.#metrics.ofShard("ProcessTask", id);
      this.#shards.set(id, scope);
    }
    return scope;
  }

  /** An idle shard is seen, too: nothing processed, and how far behind. */
  came(id: ShardId, { millisBehindLatest }: RecordPage): void {
    const shard = this.ofShard(id);
    shard.add("RecordsProcessed", 0, "Count", "SUMMARY");
    shard.add("DataBytesProcessed", 0, "Bytes", "SUMMARY");
    shard.add("MillisBehindLatest", millisBehindLatest, "Milliseconds", "SUMMARY");
    this.#application.add("MillisBehindLatest", millisBehindLatest, "Milliseconds", "SUMMARY");
  }
}
