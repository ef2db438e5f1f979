import { Backoff, hasCode, type Logger, type StartPosition } from "@pulsar-ts-io/core";
import type { AggregateMeter } from "../aggregate/deaggregator.ts";
import type { AggregateHandling } from "../consumer-options.ts";
import type { FetchedPage, ReadEnd, ReaderMeter } from "../fetch/polling.ts";
import { readShard, type ShardReaderOptions } from "../fetch/shard-reader.ts";
import { JoinedSignal, unlessAborted } from "../joined-signal.ts";
import type { HeldLease } from "../lease/held-lease.ts";
import type { PageOwner, RecordQueue } from "../record-queue.ts";
import type { AckWindow } from "./ack-window.ts";
import { type ExpiryMeter, tellIfExpired } from "./expired-position.ts";
import type { KinesisStream } from "./kinesis-stream.ts";
import type { ReaderHealth } from "./reader-health.ts";
import { ShardCursor } from "./shard-cursor.ts";
import type { Ending } from "./shard-end.ts";
import type { Beginning, ShardNumbering } from "./shard-numbering.ts";
import type { ShardThroughput } from "./shard-throughput.ts";
import { takeIn } from "./take-in.ts";
import { findUnpacking, type Unpacking } from "./unpacking.ts";
import type { WaitingSigns } from "./waiting-signs.ts";

/** Positions of one shard that may wait for an older one to be acknowledged. */
const maxUnsettled = 20_000;
/** Before a shard is read again that the service first did not know and then did. */
const firstRereadMs = 1_000;
const longestRereadMs = 10_000;

export interface ShardConsumerOptions extends ShardReaderOptions {
  readonly initialPosition: StartPosition;
  readonly aggregates: AggregateHandling;
  readonly logger: Logger;
  readonly meter: ReaderMeter & PageMeter & AggregateMeter & ExpiryMeter;
  readonly throughput: ShardThroughput;
  readonly signs: ReaderHealth;
  /** Absent: the records are not numbered. */
  readonly numbering: ShardNumbering | undefined;
}

interface PageCounts {
  /** What was in the page once aggregates were unpacked. */
  readonly unpacked: number;
  /** Those of them that were not read before, and the bytes that they carry. */
  readonly records: number;
  readonly bytes: number;
}

/** Told of each page. */
export interface PageMeter {
  /** @returns to be called once the host has all of its records. */
  read(page: PageCounts): () => void;
}

/** Everything that happens to a shard besides reading it. */
export interface ShardLife {
  /** Waits until each parent has been read to its end. */
  parentsFinished(held: HeldLease, signs: WaitingSigns, signal: AbortSignal): Promise<void>;
  /** Waits until records may be handed out with these numbers. */
  number(held: HeldLease, beginning: Beginning, reading: Ending): Promise<void>;
  /** Everything was read and acknowledged: opens the way for the children. @returns false when it is to be read on. */
  finish(held: HeldLease, end: ReadEnd, ending: Ending): Promise<boolean>;
}

/** Reads one shard for as long as its lease is ours: one generation, from the taking of the lease to its end. */
export class ShardConsumer implements PageOwner {
  readonly #held: HeldLease;
  readonly #window: AckWindow;
  readonly #queue: RecordQueue;
  readonly #options: ShardConsumerOptions;
  readonly #stopped = new AbortController();
  #attempt = new AbortController();
  /** Pages with records that are not acknowledged: the ordinal of the first record, and when Kinesis stored it. */
  readonly #unconfirmed: { readonly ordinal: number; readonly arrivalMs: number }[] = [];
  #received = 0;
  #unpacking: Unpacking | undefined;
  #letGo = false;

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
    return !this.#letGo && this.#held.live;
  }

  /**
   * Age of the oldest record that was read and is not acknowledged, milliseconds, to the page; `undefined` when there is none.
   *
   * @param nowMs the service's time, milliseconds since the epoch.
   */
  unconfirmedAgeMs(nowMs: number): number | undefined {
    const { oldest } = this.#window;
    // The last page that begins at or before the oldest record is the one it came in.
    const page = this.#unconfirmed.findLast(({ ordinal }) => ordinal <= oldest);
    return this.#window.size === 0 || page === undefined ? undefined : Math.max(0, nowMs - page.arrivalMs);
  }

  /** Records that were read and not left out. */
  get received(): number {
    return this.#received;
  }

  /** Leaves what the reader waits for, and reads again after the last record that was taken in. */
  restart(): void {
    this.#attempt.abort(new Error("the reader was stuck"));
  }

  /** Nothing more is handed out, although the lease may be ours yet. */
  letGo(): void {
    this.#letGo = true;
  }

  /** Ends the reading for good. */
  stop(): void {
    this.#stopped.abort(new Error("the lease is given up"));
  }

  /** Reads until {@link stop}, `signal` aborts, the lease is lost or to be handed over, or the shard has ended. */
  async run(stream: KinesisStream, life: ShardLife, signal: AbortSignal): Promise<void> {
    if (this.#held.lease.checkpoint.kind === "shard-end") return;
    const ends = [this.#held.signal, this.#held.handOff, this.#stopped.signal];
    using joined = new JoinedSignal(signal, ...ends);
    const { signal: mine } = joined;
    try {
      const { signs } = this.#options;
      await this.#restarted(mine, (stop) =>
        unlessAborted(life.parentsFinished(this.#held, signs, stop), stop),
      );
      const cursor = this.#cursor();
      const pause = new Backoff({ initialMs: firstRereadMs, maxMs: longestRereadMs });
      for (;;) {
        const end = await this.#restarted(mine, (stop) => this.#read(stream, cursor, life, stop));
        if (this.#window.size > 0) signs.heldBack();
        while (this.#window.size > 0) await this.#window.advanced(mine);
        signs.waiting();
        const finished = await this.#restarted(mine, (stop) =>
          unlessAborted(life.finish(this.#held, end, { signs, signal: stop }), stop),
        );
        if (finished) {
          this.#window.close();
          return;
        }
        await this.#options.clock.sleep(pause.next(), mine);
      }
    } catch (error) {
      if (!ends.some((end) => isReason(error, end))) throw error;
    } finally {
      this.#options.outage.left(this.#held.lease.shardId);
    }
  }

  /** Does `step` to its end, however often it is restarted. */
  async #restarted<T>(signal: AbortSignal, step: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (;;) {
      this.#attempt = new AbortController();
      const { signal: restarted } = this.#attempt;
      using joined = new JoinedSignal(signal, restarted);
      try {
        return await step(joined.signal);
      } catch (error) {
        if (!isReason(error, restarted)) throw error;
      }
    }
  }

  #cursor(): ShardCursor {
    const { initialPosition, numbering } = this.#options;
    const { lease } = this.#held;
    return new ShardCursor(lease, initialPosition, numbering?.resume(lease, initialPosition));
  }

  /** Of a stream created anew under its name the anchor may be none: then nothing of this epoch is left to go on from. */
  async #read(
    stream: KinesisStream,
    cursor: ShardCursor,
    life: ShardLife,
    signal: AbortSignal,
  ): Promise<ReadEnd> {
    try {
      return await this.#readOnce(stream, cursor, life, signal);
    } catch (error) {
      if (!hasCode(error, "PIO_POSITION_REFUSED") || !cursor.leaveAnchor()) throw error;
      return await this.#readOnce(stream, cursor, life, signal);
    }
  }

  async #readOnce(
    stream: KinesisStream,
    cursor: ShardCursor,
    life: ShardLife,
    signal: AbortSignal,
  ): Promise<ReadEnd> {
    const { shardId: id } = this.#held.lease;
    const renew = (stop: AbortSignal) => this.#held.write(() => ({}), stop);
    const pages = readShard(stream, { id, cursor, renew }, { ...this.#options, signal });
    try {
      for (;;) {
        const step = await this.#next(pages, signal);
        if (step.done === true) return step.value;
        this.#unpacking ??= await this.#prepare(step.value, stream, life, signal);
        this.#accept(step.value, cursor, this.#unpacking);
        if (this.#window.size > maxUnsettled) this.#options.signs.heldBack();
        while (this.#window.size > maxUnsettled) await this.#window.advanced(signal);
      }
    } finally {
      // Not waited for when it is to stop: it may be stuck for ever.
      await unlessAborted(pages.return({ kind: "gone" }), signal).catch(() => {});
    }
  }

  /** The next page. One that comes after `signal` has aborted is thrown away. */
  async #next(pages: Pages, signal: AbortSignal): ReturnType<Pages["next"]> {
    const step = pages.next();
    try {
      return await unlessAborted(step, signal);
    } catch (error) {
      void step.then(
        ({ done, value }) => {
          if (done !== true) this.#discard(value);
        },
        () => {},
      );
      throw error;
    }
  }

  /** Before the first page is taken in: how its records are unpacked and, if that is wanted, numbered. */
  async #prepare(
    first: FetchedPage,
    stream: KinesisStream,
    life: ShardLife,
    signal: AbortSignal,
  ): Promise<Unpacking> {
    try {
      const { lease } = this.#held;
      const unpacking = await findUnpacking(lease, stream, this.#options, signal);
      await this.#number(first, unpacking.version, life, signal);
      tellIfExpired(lease, first.page, this.#options);
      return unpacking;
    } catch (error) {
      this.#discard(first);
      throw error;
    }
  }

  async #number(first: FetchedPage, version: string, life: ShardLife, signal: AbortSignal): Promise<void> {
    const { numbering, signs } = this.#options;
    if (numbering === undefined) return;
    // While none of its records is handed out nobody else asks.
    if (!this.#held.live) signal.throwIfAborted();
    const beginning = numbering.begin(first.page.records[0]?.SequenceNumber ?? "", version);
    await unlessAborted(life.number(this.#held, beginning, { signs, signal }), signal);
  }

  #discard({ page, bytes }: FetchedPage): void {
    this.#options.budget.discard({ records: page.records.length, bytes });
  }

  #accept({ page, bytes }: FetchedPage, cursor: ShardCursor, { unpack }: Unpacking): void {
    const { shardId } = this.#held.lease;
    const { numbering } = this.#options;
    const place = {
      shardId,
      partitionId: numbering?.partitionId ?? shardId,
      firstNumber: numbering?.first,
      window: this.#window,
      millisBehindLatest: page.millisBehindLatest,
    };
    const ordinal = this.#window.next;
    const { records, unpacked } = takeIn(page.records, { place, cursor, unpack });
    this.#keepArrival(ordinal, records[0]?.arrival);
    let newBytes = 0;
    for (const record of records) newBytes += record.data.byteLength;
    const came = { records: page.records.length, bytes };
    // Readers and the SDK's streams refer to the last page while they wait for the next one: 10 MiB for each shard.
    page.records.length = 0;
    if (came.records !== records.length || bytes !== newBytes) {
      this.#options.budget.replace(came, { records: records.length, bytes: newBytes });
    }
    this.#options.throughput.delivered(newBytes);
    this.#received += records.length;
    const handedOut = this.#options.meter.read({
      unpacked,
      records: records.length,
      bytes: newBytes,
    });
    this.#queue.push(records, this, handedOut);
  }

  #keepArrival(ordinal: number, arrival: Date | undefined): void {
    const { oldest } = this.#window;
    while ((this.#unconfirmed[1]?.ordinal ?? Number.POSITIVE_INFINITY) <= oldest) this.#unconfirmed.shift();
    if (arrival !== undefined) this.#unconfirmed.push({ ordinal, arrivalMs: arrival.getTime() });
  }
}

type Pages = ReturnType<typeof readShard>;

function isReason(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && error === signal.reason;
}
