import { isRetryable } from "@pulsar-ts-io/core";
import type { FaultRule } from "@pulsar-ts-io/testkit";
import { SeededRandom } from "../../../../test/harness/seeded-random.ts";
import type { ConsumerOptions } from "../../src/consumer-options.ts";
import type { KinesisRecord } from "../../src/kinesis-record.ts";
import { aggregateOf } from "../support/kpl-encoder.ts";
import { Rig, unavailable, type Worker } from "../support/rig.ts";
import { kinesisFaults } from "./kinesis-faults.ts";
import { Promises } from "./promises.ts";

/** Workers and open shards at a time. */
const mostWorkers = 4;
const mostShards = 7;
/** How long everything may take to be delivered after the last fault. */
const settleMs = 600_000;

/** One host: a worker, and the records whose receipts it still waits for. */
interface Host {
  readonly worker: Worker;
  readonly waiting: KinesisRecord[];
}

type Deed = (schedule: Schedule) => void | Promise<void>;

/** Hosts that come, go, die, sleep and wake on a stream and a table that fail: all of it drawn from one number. */
export class Schedule {
  readonly #random: SeededRandom;
  readonly #rig: Rig;
  readonly #promises: Promises;
  readonly #hosts: Host[] = [];
  readonly #story: string[] = [];

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#rig = new Rig(this.#random.integer(1, 4));
    this.#promises = new Promises(this.#rig);
  }

  /** What was done so far, for the report of a failure. */
  get story(): string {
    return this.#story.join("\n");
  }

  async run(): Promise<void> {
    await this.add();
    for (let left = this.#random.integer(15, 40); left > 0; left -= 1) {
      const [name, deed] = this.#draw();
      this.#tell(name);
      await deed(this);
      this.#check();
    }
    await this.#finish();
  }

  async add(): Promise<void> {
    if (this.#hosts.length >= mostWorkers) return;
    const fanOut = this.#random.next() < 0.5;
    const options: Partial<ConsumerOptions> = {
      instanceId: String(this.#random.integer(0, 3)),
      maxBufferedRecords: 50,
      aggregates: { kind: "split", filterByHashKey: false },
      retrieval: fanOut
        ? { kind: "fan-out", consumerName: "orders-app", fallback: undefined }
        : { kind: "polling", idleMs: 1_000 },
    };
    for (let attempt = 1; ; attempt += 1) {
      const worker = this.#rig.worker(options);
      const host = { worker, waiting: [] };
      worker.settle = (record) => this.#settle(host, record);
      try {
        await this.#rig.openWorker(worker);
        this.#hosts.push(host);
        return;
      } catch (error) {
        await this.#rig.close(worker);
        // As whoever runs the process does: it is started again.
        if (!isRetryable(error) || attempt === 5) throw error;
      }
    }
  }

  put(): void {
    const count = this.#random.integer(1, 40);
    const from = this.#rig.placed.length;
    this.#rig.put(count);
    for (const { shardId, sequenceNumber } of this.#rig.placed.slice(from)) {
      this.#promises.put(shardId, sequenceNumber);
    }
  }

  putAggregate(): void {
    const parts = this.#random.integer(2, 9);
    const records = Array.from({ length: parts }, (_, part) => ({
      partitionKey: `part-${part}`,
      data: Buffer.from(`part ${part}`),
    }));
    const hashKey = BigInt(this.#random.integer(0, 2 ** 32 - 1)) << 96n;
    this.#rig.putBytes(aggregateOf(records), "packed", hashKey);
    const { shardId, sequenceNumber } = this.#rig.placed.at(-1) ?? { shardId: "", sequenceNumber: 0n };
    this.#promises.put(shardId, sequenceNumber, parts);
  }

  async pass(): Promise<void> {
    await this.#rig.pass(this.#random.integer(1, 9_000));
  }

  acknowledge(): void {
    for (const { waiting } of this.#hosts) {
      for (const record of waiting.splice(0).reverse()) this.#acknowledge(record);
    }
  }

  async kill(): Promise<void> {
    this.#leave()?.worker.kill();
    if (this.#hosts.length === 0) await this.add();
  }

  async end(): Promise<void> {
    const host = this.#leave();
    if (host !== undefined) await this.#rig.close(host.worker);
    if (this.#hosts.length === 0) await this.add();
  }

  /** For longer than a lease lasts, with records fetched that the host was too busy to take. Receipts come when it is awake again. */
  async sleep(): Promise<void> {
    const worker = this.#any()?.worker;
    worker?.intake.close();
    this.put();
    await this.#rig.pass(2_500);
    worker?.clock.stop();
    worker?.intake.open();
    await this.#rig.pass(30_000);
    worker?.clock.resume();
  }

  setCalendar(): void {
    this.#any()?.worker.clock.setCalendar(this.#random.integer(-3_600_000, 3_600_000));
  }

  split(): void {
    const shards = this.#openShards();
    const shard = this.#pick(shards);
    if (shard === undefined || shards.length >= mostShards) return;
    const middle = (shard.range.start + shard.range.end) / 2n;
    this.#rig.stream.split(shard.id, middle, this.#rig.clock.now());
  }

  merge(): void {
    const shards = this.#openShards();
    const one = this.#pick(shards);
    const other = shards.find((shard) => shard.range.start === (one?.range.end ?? 0n) + 1n);
    if (one !== undefined && other !== undefined) {
      this.#rig.stream.merge(one.id, other.id, this.#rig.clock.now());
    }
  }

  /** What was written stays written, and nobody is told. */
  loseAnswers(): void {
    let left = this.#random.integer(1, 4);
    this.#rig.table.lose = () => {
      left -= 1;
      return left < 0 ? undefined : { kind: "failed", error: unavailable(), mayHaveLanded: true };
    };
  }

  async failTable(): Promise<void> {
    this.#rig.table.before = () => {
      throw unavailable();
    };
    await this.#rig.pass(this.#random.integer(1, 14_000));
    this.#rig.table.before = () => {};
  }

  failKinesis(): void {
    const rule = this.#pick(kinesisFaults);
    if (rule === undefined) return;
    const count = this.#random.integer(1, 4);
    this.#tell(`  ${rule.operation}: ${JSON.stringify(rule.effect)}, ${count} times`);
    this.#rig.service.faults.add({ ...rule, count, skip: this.#random.integer(0, 3) });
  }

  expireIterators(): void {
    this.#sendBack({
      operation: "GetRecords",
      effect: { kind: "refuse", error: "ExpiredIteratorException" },
    });
  }

  cutSubscriptions(): void {
    this.#sendBack({ operation: "SubscribeToShardEvent", effect: { kind: "hang-up" } });
  }

  async #finish(): Promise<void> {
    this.#tell("everything works again");
    this.#rig.service.faults.clear();
    this.#rig.table.lose = () => undefined;
    try {
      await this.#rig.until(() => {
        this.acknowledge();
        return this.#promises.allAcknowledged;
      }, settleMs);
    } catch (error) {
      throw new Error(`never delivered: ${this.#promises.missing.join(", ")}`, { cause: error });
    }
    for (const { worker } of this.#hosts) await this.#rig.close(worker);
    this.#promises.check();
  }

  /** Readers go back to where they stood, with more to read by then. */
  #sendBack(rule: FaultRule): void {
    this.#rig.service.faults.add({ ...rule, count: this.#random.integer(1, mostShards) });
    this.put();
  }

  #settle(host: Host, record: KinesisRecord): boolean {
    this.#promises.delivered(host.worker, record);
    if (this.#random.next() < 0.3) {
      host.waiting.push(record);
      return false;
    }
    this.#promises.acknowledged(record);
    return true;
  }

  #acknowledge(record: KinesisRecord): void {
    this.#promises.acknowledged(record);
    record.ack();
  }

  #check(): void {
    this.#promises.check();
    for (const { worker } of this.#hosts) if (worker.failure !== undefined) throw worker.failure;
  }

  #draw(): readonly [string, Deed] {
    let left = this.#random.next() * totalWeight;
    const found = deeds.find(([weight]) => {
      left -= weight;
      return left < 0;
    });
    const [, name, deed] = found ?? deeds[0];
    return [name, deed];
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[this.#random.integer(0, items.length - 1)];
  }

  #any(): Host | undefined {
    return this.#pick(this.#hosts);
  }

  #leave(): Host | undefined {
    return this.#hosts.splice(this.#random.integer(0, this.#hosts.length - 1), 1)[0];
  }

  #openShards() {
    return this.#rig.stream.shards(this.#rig.clock.now()).filter((shard) => shard.open);
  }

  #tell(what: string): void {
    this.#story.push(`${this.#rig.clock.monotonic().toFixed(0).padStart(8)} ms  ${what}`);
  }
}

const deeds: readonly [readonly [number, string, Deed], ...(readonly (readonly [number, string, Deed])[])] = [
  [6, "records are put", (schedule) => schedule.put()],
  [6, "time passes", (schedule) => schedule.pass()],
  [4, "receipts come", (schedule) => schedule.acknowledge()],
  [2, "an aggregate is put", (schedule) => schedule.putAggregate()],
  [2, "a worker is added", (schedule) => schedule.add()],
  [2, "a worker is killed", (schedule) => schedule.kill()],
  [1, "a worker is stopped", (schedule) => schedule.end()],
  [2, "a worker sleeps for 30 s", (schedule) => schedule.sleep()],
  [1, "a calendar is set", (schedule) => schedule.setCalendar()],
  [2, "a shard is split", (schedule) => schedule.split()],
  [2, "two shards are merged", (schedule) => schedule.merge()],
  [1, "answers of the table get lost", (schedule) => schedule.loseAnswers()],
  [1, "the table fails", (schedule) => schedule.failTable()],
  [2, "iterators expire", (schedule) => schedule.expireIterators()],
  [2, "subscriptions are cut", (schedule) => schedule.cutSubscriptions()],
  [4, "Kinesis fails", (schedule) => schedule.failKinesis()],
];
const totalWeight = deeds.reduce((sum, [weight]) => sum + weight, 0);
