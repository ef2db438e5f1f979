import type { StartPosition } from "@pulsar-ts-io/core";
import { type FetchedPage, type PollingOptions, pollShard, type ReadEnd } from "../fetch/polling.ts";
import { JoinedSignal } from "../joined-signal.ts";
import { KinesisRecord } from "../kinesis-record.ts";
import type { HeldLease } from "../lease/held-lease.ts";
import type { PageOwner, RecordQueue } from "../record-queue.ts";
import type { AckWindow } from "./ack-window.ts";
import type { KinesisStream } from "./kinesis-stream.ts";
import { ShardCursor } from "./shard-cursor.ts";

/** Positions of one shard that may wait for an older one to be acknowledged. */
const maxUnsettled = 20_000;

export interface ShardConsumerOptions extends PollingOptions {
  readonly initialPosition: StartPosition;
  /** What the shard's records and bytes are counted with. */
  readonly count: (records: number, bytes: number) => void;
}

/** Everything that happens to a shard besides reading it. */
export interface ShardLife {
  /** Waits until each parent has been read to its end. */
  parentsFinished(held: HeldLease, signal: AbortSignal): Promise<void>;
  /** Everything was read and acknowledged: opens the way for the children. */
  finish(held: HeldLease, end: ReadEnd, signal: AbortSignal): Promise<void>;
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

  /** Reads until `signal` aborts, the lease is lost or the shard has ended. */
  async run(stream: KinesisStream, life: ShardLife, signal: AbortSignal): Promise<void> {
    if (this.#held.lease.checkpoint.kind === "shard-end") return;
    using joined = new JoinedSignal(signal, this.#held.signal);
    try {
      await life.parentsFinished(this.#held, joined.signal);
      const end = await this.#read(stream, joined.signal);
      while (this.#window.size > 0) await this.#window.advanced(joined.signal);
      await life.finish(this.#held, end, joined.signal);
    } catch (error) {
      if (!this.#held.signal.aborted || error !== this.#held.signal.reason) throw error;
    }
  }

  async #read(stream: KinesisStream, signal: AbortSignal): Promise<ReadEnd> {
    const { lease } = this.#held;
    const cursor = new ShardCursor(lease, this.#options.initialPosition);
    const pages = pollShard(stream, { id: lease.shardId, cursor }, { ...this.#options, signal });
    for (;;) {
      const step = await pages.next();
      if (step.done === true) return step.value;
      this.#accept(step.value, cursor);
      while (this.#window.size > maxUnsettled) await this.#window.advanced(signal);
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
    this.#options.count(records.length, newBytes);
    this.#queue.push(records, this);
  }
}
