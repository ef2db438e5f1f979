import { Backoff, type StartPosition } from "@pulsar-ts-io/core";
import type { FetchedPage, ReadEnd, ReaderMeter } from "../fetch/polling.ts";
import { readShard, type ShardReaderOptions } from "../fetch/shard-reader.ts";
import { JoinedSignal } from "../joined-signal.ts";
import { KinesisRecord } from "../kinesis-record.ts";
import type { HeldLease } from "../lease/held-lease.ts";
import type { PageOwner, RecordQueue } from "../record-queue.ts";
import type { AckWindow } from "./ack-window.ts";
import type { KinesisStream } from "./kinesis-stream.ts";
import { ShardCursor } from "./shard-cursor.ts";

/** Positions of one shard that may wait for an older one to be acknowledged. */
const maxUnsettled = 20_000;
/** Before a shard is read again that the service first did not know and then did. */
const firstRereadMs = 1_000;
const longestRereadMs = 10_000;

export interface ShardConsumerOptions extends ShardReaderOptions {
  readonly initialPosition: StartPosition;
  readonly meter: ReaderMeter & PageMeter;
}

/** What is counted of each page. */
export interface PageMeter {
  /** @param millisBehindLatest how far behind the newest record of the shard. */
  read(records: number, bytes: number, millisBehindLatest: number): void;
}

/** Everything that happens to a shard besides reading it. */
export interface ShardLife {
  /** Waits until each parent has been read to its end. */
  parentsFinished(held: HeldLease, signal: AbortSignal): Promise<void>;
  /** Everything was read and acknowledged: opens the way for the children. @returns false when it is to be read on. */
  finish(held: HeldLease, end: ReadEnd, signal: AbortSignal): Promise<boolean>;
}

/** Reads one shard for as long as its lease is ours: one generation, from the taking of the lease to its end. */
export class ShardConsumer implements PageOwner {
  readonly #held: HeldLease;
  readonly #window: AckWindow;
  readonly #queue: RecordQueue;
  readonly #options: ShardConsumerOptions;
  #millisBehindLatest: number | undefined;

  constructor(
    held: HeldLease,
    places: { readonly window: AckWindow; readonly queue: RecordQueue },
    options: ShardConsumerOptions,
  ) {
    this.#held = held;
    this.#window = places.window;
    this.#queue = places.queue;
    this.#options = options;
  }

  get held(): HeldLease {
    return this.#held;
  }

  get live(): boolean {
    return this.#held.live;
  }

  /** How far behind the newest record the last answer was; `undefined` before the first. */
  get millisBehindLatest(): number | undefined {
    return this.#millisBehindLatest;
  }

  /** Reads until `signal` aborts, the lease is lost or to be handed over, or the shard has ended. */
  async run(stream: KinesisStream, life: ShardLife, signal: AbortSignal): Promise<void> {
    if (this.#held.lease.checkpoint.kind === "shard-end") return;
    using joined = new JoinedSignal(signal, this.#held.signal, this.#held.handOff);
    const { signal: mine } = joined;
    try {
      await life.parentsFinished(this.#held, mine);
      const cursor = new ShardCursor(this.#held.lease, this.#options.initialPosition);
      const pause = new Backoff({ initialMs: firstRereadMs, maxMs: longestRereadMs });
      for (;;) {
        const end = await this.#read(stream, cursor, mine);
        while (this.#window.size > 0) await this.#window.advanced(mine);
        if (await life.finish(this.#held, end, mine)) {
          this.#window.close();
          return;
        }
        await this.#options.clock.sleep(pause.next(), mine);
      }
    } catch (error) {
      if (!isReason(error, this.#held.signal) && !isReason(error, this.#held.handOff)) throw error;
    }
  }

  async #read(stream: KinesisStream, cursor: ShardCursor, signal: AbortSignal): Promise<ReadEnd> {
    const { shardId: id } = this.#held.lease;
    const renew = (stop: AbortSignal) => this.#held.write(() => ({}), stop);
    const pages = readShard(stream, { id, cursor, renew }, { ...this.#options, signal });
    try {
      for (;;) {
        const step = await pages.next();
        if (step.done === true) return step.value;
        this.#accept(step.value, cursor);
        while (this.#window.size > maxUnsettled) await this.#window.advanced(signal);
      }
    } finally {
      await pages.return({ kind: "gone" });
    }
  }

  #accept({ page, bytes }: FetchedPage, cursor: ShardCursor): void {
    this.#millisBehindLatest = page.millisBehindLatest;
    const place = {
      shardId: this.#held.lease.shardId,
      window: this.#window,
      millisBehindLatest: page.millisBehindLatest,
    };
    const records: KinesisRecord[] = [];
    let newBytes = 0;
    for (const raw of page.records) {
      const sequenceNumber = raw.SequenceNumber ?? "";
      if (!cursor.isNew(sequenceNumber, 0)) continue;
      const record = new KinesisRecord(raw, place);
      records.push(record);
      newBytes += record.data.byteLength;
      cursor.accept(sequenceNumber);
    }
    const dropped = page.records.length - records.length;
    if (dropped > 0) this.#options.budget.release(dropped, bytes - newBytes);
    this.#options.meter.read(records.length, newBytes, page.millisBehindLatest);
    this.#queue.push(records, this);
  }
}

function isReason(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && error === signal.reason;
}
