import { type Clock, crowdedController, silentTroubles } from "@pulsar-ts-io/core";
import { TestClock } from "@pulsar-ts-io/testkit";
import { pollShard } from "../../src/fetch/polling.ts";
import { ReadBudget } from "../../src/fetch/read-budget.ts";
import type { KinesisStream, RecordPage } from "../../src/shard/kinesis-stream.ts";
import { ReaderHealth } from "../../src/shard/reader-health.ts";
import { idOf } from "./rig.ts";

export interface DistantShardsOptions {
  readonly shardCount: number;
  /** How long a call for records of a shard takes, milliseconds. */
  readonly callMs: (shard: number) => number;
  readonly maxRecords?: number;
  readonly maxBytes?: number;
  readonly recordBytes?: number;
  /** What is put into each shard, records a second; default: more than can be read. */
  readonly putPerSecond?: number;
  /** What the host takes, records a second; default: each record at once. */
  readonly takenPerSecond?: number;
}

const lookMs = 5_000;
/** An answer of GetRecords holds no more. */
const maxAnswerBytes = 10 * 1_024 * 1_024;

/** Readers of shards that are far away, and a host that takes what they read, on a clock that stands still between events. */
export class DistantShards {
  readonly clock: TestClock = new TestClock();
  readonly budget: ReadBudget;
  /** Of each shard. */
  readonly taken: number[];
  /** The most records that ever waited for the host. */
  mostWaiting = 0;
  /** The most records that were ever here or expected. */
  mostHeld = 0;
  /** The most payload bytes that ever waited for the host. */
  mostWaitingBytes = 0;
  readonly #options: DistantShardsOptions;
  readonly #stop: AbortController = crowdedController();
  readonly #healths: readonly ReaderHealth[];
  readonly #heldBack = new Set<number>();
  readonly #waiting: number[] = [];
  readonly #lastMs: number[];
  readonly #unread: number[];
  #busy = false;

  constructor(options: DistantShardsOptions) {
    const { shardCount, maxRecords = 1_000, maxBytes = 64 * 1_024 * 1_024 } = options;
    this.#options = options;
    this.budget = new ReadBudget({ maxRecords, maxBytes });
    this.taken = Array<number>(shardCount).fill(0);
    this.#healths = this.taken.map(() => new ReaderHealth(0));
    this.#lastMs = this.taken.map(() => 0);
    this.#unread = this.taken.map(() => 0);
    for (const shard of this.taken.keys()) void this.#read(shard).catch(() => {});
    void this.#watch().catch(() => {});
  }

  get total(): number {
    return this.taken.reduce((sum, count) => sum + count, 0);
  }

  /** Shards whose reader was called held back at any time. */
  get heldBack(): readonly number[] {
    return [...this.#heldBack];
  }

  /** Lets `ms` milliseconds pass. @returns records that the host took in a second of them. */
  async pass(ms: number): Promise<number> {
    const before = this.total;
    await this.clock.advance(ms);
    return ((this.total - before) * 1_000) / ms;
  }

  stop(): void {
    this.#stop.abort(new Error("the test is over"));
  }

  async #read(shard: number): Promise<void> {
    const { signal } = this.#stop;
    const options = {
      clock: this.clock,
      budget: this.budget,
      outage: silentTroubles.of("reading"),
      meter: { throttled: () => {}, iteratorExpired: () => {} },
      signs: this.#health(shard),
      idleMs: 1_000,
      backoffMs: 3_000,
      random: () => 0.5,
      signal,
    };
    const cursor = { position: { kind: "trim-horizon" } } as const;
    const pages = pollShard(this.#stream(shard), { id: idOf(shard), cursor }, options);
    for (;;) {
      const { done, value } = await pages.next();
      if (done === true) return;
      for (const _ of value.page.records) this.#waiting.push(shard);
      this.mostWaiting = Math.max(this.mostWaiting, this.#waiting.length);
      this.mostHeld = Math.max(this.mostHeld, this.budget.used.records);
      this.mostWaitingBytes = Math.max(this.mostWaitingBytes, this.#waiting.length * this.#recordBytes);
      void this.#take().catch(() => {});
    }
  }

  async #take(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    const { takenPerSecond } = this.#options;
    for (let shard = this.#waiting.shift(); shard !== undefined; shard = this.#waiting.shift()) {
      this.taken[shard] = (this.taken[shard] ?? 0) + 1;
      this.budget.release(this.#recordBytes);
      if (takenPerSecond !== undefined) await this.clock.sleep(1_000 / takenPerSecond, this.#stop.signal);
    }
    this.#busy = false;
  }

  async #watch(): Promise<void> {
    for (;;) {
      await this.clock.sleep(lookMs, this.#stop.signal);
      for (const [shard, health] of this.#healths.entries()) {
        health.look(this.clock.monotonic());
        if (health.state === "held-back") this.#heldBack.add(shard);
      }
    }
  }

  get #recordBytes(): number {
    return this.#options.recordBytes ?? 1_024;
  }

  #health(shard: number): ReaderHealth {
    const health = this.#healths[shard];
    if (health === undefined) throw new Error(`there is no shard ${shard}`);
    return health;
  }

  #stream(shard: number): KinesisStream {
    const { clock } = this;
    const never = () => Promise.reject(new Error("not asked in this test"));
    return {
      serviceTimeMs: () => clock.now(),
      listShards: never,
      createdMs: never,
      openIterator: () => Promise.resolve("0"),
      getRecords: (_id, _iterator, limit, signal) => this.#answer(shard, limit, clock, signal),
    };
  }

  async #answer(shard: number, limit: number, clock: Clock, signal: AbortSignal): Promise<RecordPage> {
    await clock.sleep(this.#options.callMs(shard), signal);
    const most = Math.min(limit, Math.floor(maxAnswerBytes / this.#recordBytes));
    const count = Math.min(most, this.#there(shard));
    this.#unread[shard] = (this.#unread[shard] ?? 0) - count;
    const Data = new Uint8Array(this.#recordBytes);
    const records = Array.from({ length: count }, () => ({ Data }));
    return { records, next: "0", millisBehindLatest: count < most ? 0 : 1_000, children: [] };
  }

  /** Records of the shard that were put and not read. */
  #there(shard: number): number {
    const { putPerSecond } = this.#options;
    if (putPerSecond === undefined) return Number.POSITIVE_INFINITY;
    const now = this.clock.monotonic();
    const put = ((now - (this.#lastMs[shard] ?? 0)) * putPerSecond) / 1_000;
    this.#lastMs[shard] = now;
    const there = (this.#unread[shard] ?? 0) + put;
    this.#unread[shard] = there;
    return Math.floor(there);
  }
}
