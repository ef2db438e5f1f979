import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KinesisRecord } from "../src/kinesis-record.ts";
import { Rig, unavailable, type Worker } from "./support/rig.ts";

type Step =
  | { readonly kind: "put"; readonly count: number }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "kill" }
  | { readonly kind: "restart" }
  | { readonly kind: "pause" }
  | { readonly kind: "split" }
  | { readonly kind: "merge" }
  | { readonly kind: "lose-answers"; readonly count: number }
  | { readonly kind: "fail-table"; readonly ms: number }
  | { readonly kind: "throttle"; readonly count: number }
  | { readonly kind: "expire" }
  | { readonly kind: "acknowledge" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("put" as const), count: fc.integer({ min: 1, max: 40 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 9_000 }) }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: "acknowledge" as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: "kill" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "pause" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "split" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "merge" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("lose-answers" as const),
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("fail-table" as const),
      ms: fc.integer({ min: 1, max: 12_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("throttle" as const), count: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "expire" as const }) },
);

const schedules = process.env["PULSAR_TS_IO_TIER"] === "long" ? 500 : 20;

describe("delivery", () => {
  it("acknowledges every record, and stores no checkpoint past one that is not, whatever happens", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.array(step, { minLength: 3, maxLength: 25 }),
        fc.integer({ min: 2, max: 7 }),
        async (shards, steps, keepEvery) => {
          const run = new Schedule(shards, keepEvery);
          await run.start();
          for (const one of steps) await run.perform(one);
          await run.finish();
        },
      ),
      { numRuns: schedules, endOnFailure: true },
    );
  }, 1_800_000);
});

/** One run of a worker that dies and comes back, under a host that is slow to acknowledge. */
class Schedule {
  readonly #rig: Rig;
  readonly #keepEvery: number;
  readonly #acknowledged = new Set<string>();
  readonly #kept: KinesisRecord[] = [];
  #seen = 0;
  #worker: Worker | undefined;

  constructor(shards: number, keepEvery: number) {
    this.#rig = new Rig(shards);
    this.#keepEvery = keepEvery;
  }

  async start(): Promise<void> {
    this.#worker = await this.#rig.start({ maxBufferedRecords: 50 }, (record) => this.#settle(record));
  }

  async perform(one: Step): Promise<void> {
    const rig = this.#rig;
    switch (one.kind) {
      case "put":
        rig.put(one.count);
        break;
      case "pass":
        await rig.pass(one.ms);
        break;
      case "acknowledge":
        this.#acknowledgeKept();
        break;
      case "kill":
        this.#worker?.kill();
        await this.start();
        break;
      case "restart":
        await this.#close();
        await this.start();
        break;
      case "pause":
        rig.clock.pause(11_000);
        break;
      case "split":
        this.#split();
        break;
      case "merge":
        this.#merge();
        break;
      case "lose-answers":
        this.#loseAnswers(one.count);
        break;
      case "fail-table":
        await this.#failTable(one.ms);
        break;
      case "throttle":
        rig.service.faults.throttle("GetRecords", { count: one.count });
        break;
      case "expire":
        rig.service.faults.refuse("GetRecords", "ExpiredIteratorException");
        break;
      default:
        one satisfies never;
    }
    this.#check();
  }

  /** Everything is acknowledged in the end. */
  async finish(): Promise<void> {
    const all = this.#rig.placed.map(keyOf);
    await this.#rig.until(() => {
      this.#acknowledgeKept();
      return all.every((key) => this.#acknowledged.has(key));
    }, 600_000);
    await this.#close();
    this.#check();
    const checkpoints = new Map<string, bigint>();
    for (const { id, text } of this.#rig.table.checkpoints) {
      if (text === "shard-end") continue;
      expect(BigInt(text)).toBeGreaterThan(checkpoints.get(id) ?? -1n);
      checkpoints.set(id, BigInt(text));
    }
  }

  #settle(record: KinesisRecord): boolean {
    this.#seen += 1;
    if (this.#seen % this.#keepEvery === 0) {
      this.#kept.push(record);
      return false;
    }
    this.#acknowledged.add(keyOf(record));
    return true;
  }

  #acknowledgeKept(): void {
    for (const record of this.#kept.splice(0).reverse()) {
      this.#acknowledged.add(keyOf(record));
      record.ack();
    }
  }

  async #close(): Promise<void> {
    if (this.#worker !== undefined) await this.#rig.close(this.#worker);
  }

  #open(): readonly string[] {
    const shards = this.#rig.stream.shards(this.#rig.clock.now());
    return shards.filter((shard) => shard.open).map((shard) => shard.id);
  }

  #split(): void {
    const [id] = this.#open();
    if (id === undefined || this.#open().length > 6) return;
    const { range } = this.#rig.stream.shard(id, this.#rig.clock.now());
    this.#rig.stream.split(id, (range.start + range.end) / 2n, this.#rig.clock.now());
  }

  #merge(): void {
    const shards = this.#rig.stream.shards(this.#rig.clock.now()).filter((shard) => shard.open);
    const [one] = shards;
    const other = shards.find((shard) => shard.range.start === (one?.range.end ?? 0n) + 1n);
    if (one !== undefined && other !== undefined)
      this.#rig.stream.merge(one.id, other.id, this.#rig.clock.now());
  }

  #loseAnswers(count: number): void {
    let left = count;
    this.#rig.table.lose = () => {
      left -= 1;
      return left < 0 ? undefined : { kind: "failed", error: unavailable(), mayHaveLanded: true };
    };
  }

  async #failTable(ms: number): Promise<void> {
    this.#rig.table.before = () => {
      throw unavailable();
    };
    await this.#rig.pass(ms);
    this.#rig.table.before = () => {};
  }

  /** No stored checkpoint covers a record that nobody acknowledged. */
  #check(): void {
    for (const { shardId, sequenceNumber } of this.#rig.placed) {
      const row = [...this.#rig.table.rows.values()].find((lease) => lease.shardId === shardId);
      const checkpoint = row?.checkpoint;
      const covered =
        checkpoint?.kind === "shard-end" ||
        (checkpoint?.kind === "after" && checkpoint.sequenceNumber >= sequenceNumber);
      const key = keyOf({ shardId, sequenceNumber });
      if (covered) expect(this.#acknowledged.has(key), `the checkpoint covers ${key}`).toBe(true);
    }
  }
}

function keyOf(record: { readonly shardId: string; readonly sequenceNumber: string | bigint }): string {
  return `${record.shardId}/${record.sequenceNumber}`;
}
