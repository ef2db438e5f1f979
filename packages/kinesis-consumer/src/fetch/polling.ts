import { type Clock, hasCode, isRetryable, type Outage } from "@pulsar-ts-io/core";
import { unlessAborted } from "../joined-signal.ts";
import type { KinesisStream, ReadPosition, RecordPage } from "../shard/kinesis-stream.ts";
import type { ChildShard, ShardId } from "../shard/shard.ts";
import { fullJitter } from "./full-jitter.ts";
import type { Grant, ReadBudget } from "./read-budget.ts";
import type { ReadingSigns } from "./reading-signs.ts";
import { ShardPace } from "./shard-pace.ts";

/** GetRecords' limit. */
const maxRecordsPerCall = 10_000;
/** Iterators live five minutes. */
const iteratorLifeMs = 4 * 60_000;
const firstPauseMs = 200;
/** How long a call for a shard with nothing left to read waits for late renewals, milliseconds, at most. */
const longestStandBackMs = 1_000;
/** Taken for the first answer of a shard, until sizes are known. */
const assumedRecordBytes = 4_096;

/** Where a reader stands, and where it must open the shard again. */
export interface ReadCursor {
  /** Asked at each opening: from the checkpoint until a record was accepted in this run, after that record from then on. */
  readonly position: ReadPosition;
}

export interface PollingOptions {
  readonly clock: Clock;
  readonly budget: ReadBudget;
  readonly outage: Outage;
  readonly meter: ReaderMeter;
  readonly signs: ReadingSigns;
  readonly idleMs: number;
  /** Longest pause after a throttled or failed call, milliseconds. */
  readonly backoffMs: number;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Waits while the renewals of leases are short of time, at most about `longestMs`. */
  readonly standBack?: (signal: AbortSignal, longestMs: number) => Promise<void>;
}

/** What readers count. */
export interface ReaderMeter {
  throttled(): void;
  iteratorExpired(): void;
}

/** Why a shard gives no more records. */
export type ReadEnd =
  /** Everything was read; these continue it. */
  | { readonly kind: "shard-end"; readonly children: readonly ChildShard[] }
  /** The service does not know the shard, or the stream, any more. */
  | { readonly kind: "gone" };

/** A page whose room in the budget is now the taker's. */
export interface FetchedPage {
  readonly page: RecordPage;
  readonly bytes: number;
}

/**
 * Yields the pages of one shard in order, each once it is asked for, until the shard ends.
 *
 * What the service refuses for a while is tried again for ever; what it refuses for good is thrown:
 * PositionRefusedError (`PIO_POSITION_REFUSED`) when the position is refused twice, and the errors `PIO_AWS_…`.
 */
export async function* pollShard(
  stream: KinesisStream,
  shard: { readonly id: ShardId; readonly cursor: ReadCursor },
  options: PollingOptions & { readonly signal: AbortSignal },
): AsyncGenerator<FetchedPage, ReadEnd, undefined> {
  const reader = new PollingReader(stream, shard, options);
  for (;;) {
    const answer = await reader.next(options.signal);
    if (answer.kind !== "page") return answer;
    yield answer;
  }
}

type Answer = ReadEnd | ({ readonly kind: "page" } & FetchedPage);

class PollingReader {
  readonly #stream: KinesisStream;
  readonly #id: ShardId;
  readonly #cursor: ReadCursor;
  readonly #options: PollingOptions;
  readonly #pace: ShardPace;
  #iterator: { readonly token: string; readonly madeMs: number } | undefined;
  #full = false;
  /** The last answer brought nothing and was up to date: the next call can wait. */
  #idle = false;
  /** What the last answer brought: so much is expected of the next, unless it was full. */
  #lastCount = 0;
  #recordBytes = assumedRecordBytes;
  #failures = 0;
  #refusals = 0;
  /** The last page told of the end and brought records too. */
  #end: ReadEnd | undefined;

  constructor(
    stream: KinesisStream,
    shard: { readonly id: ShardId; readonly cursor: ReadCursor },
    options: PollingOptions,
  ) {
    this.#stream = stream;
    this.#id = shard.id;
    this.#cursor = shard.cursor;
    this.#options = options;
    this.#pace = new ShardPace(options.clock, options.idleMs);
  }

  /** The next page that brings something, or the end. */
  async next(signal: AbortSignal): Promise<Answer> {
    while (this.#end === undefined) {
      const grant = await this.#turn(signal);
      const fetched = await this.#fetch(grant, signal);
      if (fetched.kind === "failed") {
        this.#options.budget.cancel(grant);
        if (await this.#recover(fetched.error, signal)) return { kind: "gone" };
        continue;
      }
      const { page } = fetched;
      const bytes = await this.#admit(page, grant, signal);
      if (page.next === undefined && page.children.length > 0) {
        this.#end = { kind: "shard-end", children: page.children };
      }
      if (page.records.length > 0) return { kind: "page", page, bytes };
      // No iterator and no children: not an end to be believed. Opened again at the same position.
      if (page.next === undefined && this.#end === undefined) await this.#pause(signal);
    }
    return this.#end;
  }

  /** Waits until the next call may be made. */
  async #turn(signal: AbortSignal): Promise<Grant> {
    const { budget, signs, standBack } = this.#options;
    signs.resting(this.#pace.waitMs);
    await this.#pace.wait(signal);
    signs.heldBack();
    if (this.#idle) await standBack?.(signal, longestStandBackMs);
    return await budget.acquire(this.#wish, signal);
  }

  async #fetch(
    grant: Grant,
    signal: AbortSignal,
  ): Promise<{ kind: "page"; page: RecordPage } | { kind: "failed"; error: unknown }> {
    try {
      this.#options.signs.asking();
      const iterator = await unlessAborted(this.#openIterator(signal), signal);
      this.#pace.called();
      const asked = this.#stream.getRecords(this.#id, iterator, grant.records, signal);
      const page = await unlessAborted(asked, signal);
      this.#succeeded(page);
      return { kind: "page", page };
    } catch (error) {
      if (signal.aborted) {
        this.#options.budget.cancel(grant);
        throw signal.reason;
      }
      return { kind: "failed", error };
    }
  }

  /** A shard whose last answer was full has more; of the others, as of new ones, nothing is known but that. */
  get #wish() {
    const { budget } = this.#options;
    const expected = Math.min(maxRecordsPerCall, this.#full ? maxRecordsPerCall : this.#lastCount);
    const wanted = Math.min(maxRecordsPerCall, budget.withSpare(expected));
    return { wanted, expected, recordBytes: this.#recordBytes };
  }

  async #openIterator(signal: AbortSignal): Promise<string> {
    const now = this.#options.clock.monotonic();
    if (this.#iterator !== undefined && now - this.#iterator.madeMs < iteratorLifeMs) {
      return this.#iterator.token;
    }
    const token = await this.#stream.openIterator(this.#id, this.#cursor.position, signal);
    this.#iterator = { token, madeMs: now };
    return token;
  }

  #succeeded(page: RecordPage): void {
    const madeMs = this.#options.clock.monotonic();
    this.#iterator = page.next === undefined ? undefined : { token: page.next, madeMs };
    this.#refusals = 0;
    // A null iterator without children is a failure: only an answer that leads somewhere ends the trouble.
    if (page.next === undefined && page.children.length === 0) {
      this.#options.signs.failed();
      return;
    }
    this.#options.signs.answered(page.records.length, page.millisBehindLatest);
    this.#failures = 0;
    this.#options.outage.recovered(this.#id);
  }

  /** Waits until there is room for the page. @returns its bytes. */
  async #admit(page: RecordPage, grant: Grant, signal: AbortSignal): Promise<number> {
    const { budget, signs } = this.#options;
    const bytes = this.#measure(page, grant);
    const records = page.records.length;
    if (records > 0) signs.heldBack();
    await budget.admit(grant, { records, bytes }, signal);
    return bytes;
  }

  /** Learns from an answer how much to ask for, and when. @returns its bytes. */
  #measure(page: RecordPage, grant: Grant): number {
    const count = page.records.length;
    let bytes = 0;
    for (const record of page.records) bytes += record.Data?.byteLength ?? 0;
    this.#full = count >= grant.records;
    this.#lastCount = count;
    this.#idle = count === 0 && page.millisBehindLatest === 0;
    if (count > 0) this.#recordBytes = Math.max(1, Math.ceil((this.#recordBytes + (3 * bytes) / count) / 4));
    this.#pace.answered(bytes, page.next !== undefined && page.millisBehindLatest === 0 && !this.#full);
    return bytes;
  }

  /** Deals with a failed call. @returns true when the shard is not known any more. */
  async #recover(error: unknown, signal: AbortSignal): Promise<boolean> {
    const { meter, outage, signs } = this.#options;
    if (hasCode(error, "PIO_SHARD_NOT_FOUND") || hasCode(error, "PIO_STREAM_NOT_FOUND")) return true;
    if (hasCode(error, "PIO_ITERATOR_EXPIRED")) {
      meter.iteratorExpired();
      signs.failed();
      this.#iterator = undefined;
      return false;
    }
    if (hasCode(error, "PIO_POSITION_REFUSED")) {
      this.#iterator = undefined;
      signs.failed();
      this.#refusals += 1;
      // A time that has not come yet for the service is one it will accept later.
      if (this.#refusals > 1 && this.#cursor.position.kind !== "at-timestamp") throw error;
    } else if (!isRetryable(error)) {
      throw error;
    } else if (hasCode(error, "PIO_AWS_THROTTLED")) {
      meter.throttled();
      signs.throttled();
      this.#pace.throttled();
    } else {
      signs.failed();
      outage.failed(this.#id, error);
    }
    await this.#pause(signal);
    return false;
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const { backoffMs, clock, random, signs } = this.#options;
    const pauseMs = fullJitter(firstPauseMs, backoffMs, this.#failures, random);
    signs.resting(pauseMs);
    await clock.sleep(pauseMs, signal);
    this.#failures += 1;
  }
}
