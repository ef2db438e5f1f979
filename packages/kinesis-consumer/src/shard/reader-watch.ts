import type { Clock, Counter, Gauge, Logger, Meter, Outage } from "@pulsar-ts-io/core";
import { AwsThrottledError, ReaderStuckError } from "../errors.ts";
import { type ReaderHealth, type ReaderState, readerStates } from "./reader-health.ts";
import type { ShardId } from "./shard.ts";

const lookMs = 5_000;
/** Shards that a line in the log names; the others are counted. */
const maxNamed = 10;

/** A reader as the watch sees it. */
export interface WatchedReader {
  readonly shardId: ShardId;
  readonly health: ReaderHealth;
  /** Leaves what it waits for, and reads again from the last record it has handed on. */
  restart(): void;
  /** Stops the reading and gives the lease away. */
  giveUp(): void;
}

export interface ReaderWatchOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  /** Where readers that get no further are reported. Those whose calls fail report so themselves. */
  readonly outage: Outage;
  readonly streamName: string;
  /** What all readers have fetched, or are about to fetch, and not yet handed on. */
  readonly buffered: () => { readonly records: number; readonly bytes: number };
}

/** Looks after the readers of all shards: restarts who is stuck, then gives the lease up, and says once how they fare. */
export class ReaderWatch {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #outage: Outage;
  readonly #readers = new Map<ShardId, { readonly reader: WatchedReader; said: ReaderState }>();
  readonly #gauges: ReadonlyMap<ReaderState, Gauge>;
  readonly #buffered: ReaderWatchOptions["buffered"];
  readonly #bufferedRecords: Gauge;
  readonly #bufferedBytes: Gauge;
  readonly #restarts: Counter;
  readonly #givenUp: Counter;

  constructor(options: ReaderWatchOptions) {
    const { clock, logger, meter, streamName: stream } = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#outage = options.outage;
    this.#gauges = new Map(
      readerStates.map((state) => [
        state,
        meter.gauge("pulsar_ts_io_kinesis_readers", "Readers of shards, by how they fare", { stream, state }),
      ]),
    );
    this.#buffered = options.buffered;
    this.#bufferedRecords = meter.gauge(
      "pulsar_ts_io_kinesis_buffered_records",
      "Records fetched, or about to be, and not yet handed on",
      { stream },
    );
    this.#bufferedBytes = meter.gauge(
      "pulsar_ts_io_kinesis_buffered_bytes",
      "Payload bytes fetched, or about to be, and not yet handed on",
      { stream },
    );
    this.#restarts = meter.counter(
      "pulsar_ts_io_kinesis_reader_restarts_total",
      "Readers of shards that were stuck and restarted",
      { stream },
    );
    this.#givenUp = meter.counter(
      "pulsar_ts_io_kinesis_leases_given_up_total",
      "Leases given up because restarts of a stuck reader did not help",
      { stream },
    );
  }

  add(reader: WatchedReader): void {
    this.#readers.set(reader.shardId, { reader, said: "waiting" });
  }

  remove(reader: WatchedReader): void {
    if (this.#readers.get(reader.shardId)?.reader !== reader) return;
    this.#readers.delete(reader.shardId);
    this.#outage.left(reader.shardId);
  }

  /** Looks every five seconds until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#clock.sleep(lookMs, signal);
      const nowMs = this.#clock.monotonic();
      for (const { reader } of [...this.#readers.values()]) this.#look(reader, nowMs);
      this.#tell();
    }
  }

  #look(reader: WatchedReader, nowMs: number): void {
    const { shardId, health } = reader;
    const remedy = health.look(nowMs);
    switch (remedy) {
      case "none":
        return;
      case "restart":
        this.#logger.warn({ shardId, restarts: health.restarts }, "shard reader is stuck, restarting it");
        this.#restarts.add(1);
        reader.restart();
        return;
      case "give-up":
        this.#logger.warn({ shardId }, "shard reader stays stuck, giving its lease up");
        this.#givenUp.add(1);
        this.remove(reader);
        reader.giveUp();
        return;
      default:
        remedy satisfies never;
    }
  }

  #report(shardId: ShardId, state: ReaderState): void {
    if (state === "stuck") this.#outage.failed(shardId, stuck(shardId));
    else if (state === "starved") this.#outage.failed(shardId, starved(shardId));
    else this.#outage.recovered(shardId);
  }

  /** One line for each state and what was said of those who are in it now, however many they are. */
  #tell(): void {
    const counts = new Map<ReaderState, number>();
    const changes = new Map<
      string,
      { readonly from: ReaderState; readonly to: ReaderState; ids: ShardId[] }
    >();
    for (const entry of this.#readers.values()) {
      const { shardId, health } = entry.reader;
      const { said: from } = entry;
      const to = health.state;
      counts.set(to, (counts.get(to) ?? 0) + 1);
      this.#report(shardId, to);
      if (from === to) continue;
      entry.said = to;
      const key = `${from} ${to}`;
      const change = changes.get(key) ?? { from, to, ids: [] };
      change.ids.push(shardId);
      changes.set(key, change);
    }
    for (const [state, gauge] of this.#gauges) gauge.set(counts.get(state) ?? 0);
    const { records, bytes } = this.#buffered();
    this.#bufferedRecords.set(records);
    this.#bufferedBytes.set(bytes);
    for (const { from, to, ids } of changes.values()) {
      const fields = { from, to, count: ids.length, shardIds: ids.slice(0, maxNamed) };
      this.#logger[levelOf(from, to)](fields, "shard readers have changed state");
    }
  }
}

function stuck(shardId: ShardId): ReaderStuckError {
  return new ReaderStuckError(`the reader of ${shardId} gets no further`, {
    details: { shardId },
    remedy:
      "look at the network between this machine and Kinesis; the reader is restarted, then its lease is released",
  });
}

function starved(shardId: ShardId): AwsThrottledError {
  return new AwsThrottledError(`Kinesis throttles most calls for ${shardId}`, {
    details: { shardId },
    remedy: "find who else polls the stream, use enhanced fan-out, or split the shard",
  });
}

/** Reading, having read everything, and waiting for other shards are the daily round. */
function levelOf(from: ReaderState, to: ReaderState): "debug" | "info" | "warn" {
  if (to === "stuck" || to === "failing" || to === "starved") return "warn";
  return isTrouble(from) || isTrouble(to) ? "info" : "debug";
}

function isTrouble(state: ReaderState): boolean {
  return state !== "reading" && state !== "idle" && state !== "waiting";
}
