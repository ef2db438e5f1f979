import type { Counter, Meter } from "@pulsar-ts-io/core";
import type { AggregateMeter } from "./aggregate/deaggregator.ts";
import type { ReaderMeter } from "./fetch/polling.ts";
import type { ConsumerMetrics } from "./metrics/consumer-metrics.ts";
import type { MetricScope } from "./metrics/metric-scope.ts";
import type { ExpiryMeter } from "./shard/expired-position.ts";
import type { PageMeter } from "./shard/shard-consumer.ts";
import type { NewEpochReason } from "./shard/shard-numbering.ts";

/** The instruments of reading, made once for the stream and once for each shard. */
export class ConsumerMeter {
  readonly #meter: Meter;
  readonly #stream: string;
  readonly #records: Counter;
  readonly #bytes: Counter;
  readonly #throttles: Counter;
  readonly #expired: Counter;
  readonly #positionsExpired: Counter;
  readonly #flawed: Readonly<Record<"out-of-range" | "broken", Counter>>;
  readonly #metrics: ConsumerMetrics;
  readonly #processing: MetricScope;

  constructor(meter: Meter, metrics: ConsumerMetrics, stream: string) {
    this.#metrics = metrics;
    this.#processing = metrics.ofOperation("ProcessTask");
    this.#meter = meter;
    this.#stream = stream;
    const labels = { stream };
    this.#records = meter.counter("pulsar_ts_io_kinesis_records_read_total", "Records read", labels);
    this.#bytes = meter.counter("pulsar_ts_io_kinesis_read_bytes_total", "Payload bytes read", labels);
    this.#throttles = meter.counter(
      "pulsar_ts_io_kinesis_reads_throttled_total",
      "Reads that Kinesis throttled",
      labels,
    );
    this.#expired = meter.counter(
      "pulsar_ts_io_kinesis_iterators_expired_total",
      "Shard iterators that had expired",
      labels,
    );
    this.#positionsExpired = meter.counter(
      "pulsar_ts_io_kinesis_positions_expired_total",
      "Stored positions whose records had expired when their shards were opened",
      labels,
    );
    this.#flawed = {
      "out-of-range": meter.counter(
        "pulsar_ts_io_kinesis_aggregates_dropped_total",
        "KPL aggregates dropped for a hash key of another shard",
        labels,
      ),
      broken: meter.counter(
        "pulsar_ts_io_kinesis_aggregates_cut_total",
        "KPL aggregates cut off at a key that they do not have",
        labels,
      ),
    };
  }

  /** The records of a shard are numbered from 0. */
  epochBegan(reason: NewEpochReason): void {
    const labels = { stream: this.#stream, reason };
    this.#meter
      .counter("pulsar_ts_io_kinesis_epochs_total", "Times that a shard's records were numbered anew", labels)
      .add(1);
  }

  ofShard(shard: string): ReaderMeter & PageMeter & AggregateMeter & ExpiryMeter {
    const processing = this.#metrics.ofShard("ProcessTask", shard);
    return {
      read: ({ unpacked, records, bytes }) => {
        // KCL counts before it leaves out what was read before, and the bytes after it.
        processing.add("RecordsProcessed", unpacked, "Count", "SUMMARY");
        processing.add("DataBytesProcessed", bytes, "Bytes", "SUMMARY");
        this.#records.add(records);
        this.#bytes.add(bytes);
        const startMs = processing.nowMs();
        return () => {
          const ms = processing.nowMs() - startMs;
          processing.add("RecordProcessor.processRecords.Time", ms, "Milliseconds", "SUMMARY");
          processing.ended("", { ms, success: true }, "SUMMARY");
        };
      },
      positionExpired: () => this.#positionsExpired.add(1),
      throttled: () => this.#throttles.add(1),
      iteratorExpired: () => {
        this.#expired.add(1);
        this.#processing.add("ExpiredIterator", 1, "Count", "SUMMARY");
      },
      aggregateFlawed: (flaw) => this.#flawed[flaw].add(1),
    };
  }
}
