import type { FaultRule } from "@pulsar-ts-io/testkit";
import { SeededRandom } from "../../../../test/harness/seeded-random.ts";
import { readerOf } from "../../src/lease/lease.ts";
import type { ShardId } from "../../src/shard/shard.ts";
import { DeduplicatingTopic } from "../support/deduplicating-topic.ts";
import { Rig, unavailable } from "../support/rig.ts";
import { Hosts } from "./hosts.ts";
import { kinesisFaults } from "./kinesis-faults.ts";
import { Outsiders } from "./outsiders.ts";
import { Producer } from "./producer.ts";
import { Promises } from "./promises.ts";
import { makeScansStale } from "./stale-scans.ts";

/** After so long without the end of an aggregate a checkpoint is stored inside of it. */
const insideMs = 70_000;
/** How long everything may take to be delivered after the last fault. */
const settleMs = 600_000;

type Deed = (schedule: Schedule) => void | Promise<void>;

/** Whether records are numbered, and then whether there are others who make that begin anew. */
export type Numbers = "none" | "kept" | "begun-anew";

/** Hosts that come, go, die, sleep and wake on a stream and a table that fail: all of it drawn from one number. */
export class Schedule {
  readonly hosts: Hosts;
  readonly producer: Producer;
  readonly #outsiders: Outsiders | undefined;
  readonly #topic: DeduplicatingTopic | undefined;
  readonly #random: SeededRandom;
  readonly #rig: Rig;
  readonly #promises: Promises;
  readonly #story: string[] = [];

  constructor(seed: number, numbers: Numbers) {
    const random = new SeededRandom(seed);
    this.#random = random;
    // Half of them in JSON.
    this.#rig = new Rig(random.integer(1, 4), seed % 2 === 0);
    this.#rig.table.leavesOpen = true;
    this.#promises = new Promises(this.#rig);
    makeScansStale(this.#rig, random);
    this.#topic = numbers === "none" ? undefined : new DeduplicatingTopic();
    const options = { random, filterByHashKey: random.next() < 0.5, topic: this.#topic };
    this.hosts = new Hosts(this.#rig, this.#promises, options);
    this.producer = new Producer(this.#rig, this.#promises, options);
    const outsiders = numbers === "begun-anew";
    this.#outsiders = outsiders ? new Outsiders(this.#rig, this.#promises, random) : undefined;
  }

  /** What was done so far, for the report of a failure. */
  get story(): string {
    return this.#story.join("\n");
  }

  async run(): Promise<void> {
    await this.hosts.add();
    for (let left = this.#random.integer(15, 40); left > 0; left -= 1) {
      const [name, deed] = this.#draw();
      this.#tell(name);
      await deed(this);
      this.#interfere();
      this.#promises.check();
      this.hosts.check();
    }
    await this.#finish();
  }

  #interfere(): void {
    if (this.#outsiders === undefined || this.#random.next() >= 0.15) return;
    const java = this.#random.next() < 0.5;
    this.#tell(java ? "a worker of Java's reads on" : "retention takes what is stored");
    if (java) this.#outsiders.javaReadsOn();
    else this.#outsiders.trim();
  }

  async pass(): Promise<void> {
    await this.#rig.pass(this.#random.integer(1, 9_000));
  }

  async sleep(): Promise<void> {
    await this.hosts.sleep(() => this.producer.put());
  }

  /**
   * Only the first records of some aggregates are acknowledged, until the checkpoints lie behind them. Then somebody else goes on,
   * or the same one after a sleep.
   */
  async stopInside(): Promise<void> {
    const { hosts, producer } = this;
    hosts.acknowledge();
    hosts.receiptsInside = this.#random.integer(1, 3);
    producer.putAggregates();
    this.#random.pick([() => producer.split(), () => producer.merge(), () => producer.put()])?.();
    await this.#rig.pass(insideMs);
    hosts.receiptsInside = undefined;
    await this.#random.pick([() => hosts.kill(), () => hosts.end(), () => this.sleep()])?.();
  }

  /** A host comes while the others have records whose receipts are still to come, and asks for some of their leases. */
  async handOver(): Promise<void> {
    this.hosts.receiptsInside = 0;
    this.producer.put();
    await this.#rig.pass(3_000);
    await this.hosts.add();
    await this.#rig.pass(this.#random.integer(4_000, 20_000));
    this.hosts.receiptsInside = undefined;
    this.hosts.acknowledge();
  }

  setCalendar(): void {
    this.hosts.pick()?.worker.clock.setCalendar(this.#random.integer(-3_600_000, 3_600_000));
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
    await this.#tableFails(this.#random.integer(1, 14_000), () => true);
  }

  /** No write of one worker arrives until another start of its instance has the lease, and it does not know. */
  async loseWrites(): Promise<void> {
    const host = this.hosts.pick();
    if (host === undefined) return;
    await this.hosts.add(host.instanceId);
    const { workerId } = host.worker.consumer;
    const { rows } = this.#rig.table;
    await this.#tableFails(10_000, (id) => {
      const row = id === undefined ? undefined : rows.get(id);
      return this.#rig.caller?.workerId === workerId && row !== undefined && readerOf(row) === workerId;
    });
  }

  failKinesis(): void {
    const rule = this.#random.pick(kinesisFaults);
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
        this.hosts.acknowledge();
        return this.#promises.allAcknowledged;
      }, settleMs);
    } catch (error) {
      throw new Error(`never delivered: ${this.#promises.missing.join(", ")}`, { cause: error });
    }
    await this.hosts.closeAll();
    this.#promises.check();
    if (this.#topic !== undefined) this.#promises.checkTopic(this.#topic, this.#outsiders === undefined);
  }

  async #tableFails(ms: number, fails: (id: ShardId | undefined) => boolean): Promise<void> {
    const { table } = this.#rig;
    table.before = (_method, id) => {
      if (fails(id)) throw unavailable();
    };
    await this.#rig.pass(ms);
    table.before = () => {};
  }

  /** Readers go back to where they stood, with more to read by then. */
  #sendBack(rule: FaultRule): void {
    this.#rig.service.faults.add({ ...rule, count: this.#random.integer(1, 7) });
    this.producer.put();
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

  #tell(what: string): void {
    this.#story.push(`${this.#rig.clock.monotonic().toFixed(0).padStart(8)} ms  ${what}`);
  }
}

const deeds: readonly [readonly [number, string, Deed], ...(readonly (readonly [number, string, Deed])[])] = [
  [6, "records are put", ({ producer }) => producer.put()],
  [6, "time passes", (schedule) => schedule.pass()],
  [4, "receipts come", ({ hosts }) => hosts.acknowledge()],
  [2, "an aggregate is put", ({ producer }) => producer.putAggregate()],
  [2, "a worker is added", ({ hosts }) => hosts.add()],
  [2, "a worker is killed", ({ hosts }) => hosts.kill()],
  [1, "a worker is stopped", ({ hosts }) => hosts.end()],
  [2, "a worker sleeps for 30 s", (schedule) => schedule.sleep()],
  [1, "receipts stop inside of aggregates", (schedule) => schedule.stopInside()],
  [2, "a worker is added while receipts are to come", (schedule) => schedule.handOver()],
  [1, "a calendar is set", (schedule) => schedule.setCalendar()],
  [2, "a shard is split", ({ producer }) => producer.split()],
  [2, "two shards are merged", ({ producer }) => producer.merge()],
  [2, "answers of the table get lost", (schedule) => schedule.loseAnswers()],
  [2, "writes of one worker get lost", (schedule) => schedule.loseWrites()],
  [1, "the table fails", (schedule) => schedule.failTable()],
  [2, "iterators expire", (schedule) => schedule.expireIterators()],
  [2, "subscriptions are cut", (schedule) => schedule.cutSubscriptions()],
  [4, "Kinesis fails", (schedule) => schedule.failKinesis()],
];
const totalWeight = deeds.reduce((sum, [weight]) => sum + weight, 0);
