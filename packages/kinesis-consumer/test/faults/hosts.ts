import { isRetryable } from "@pulsar-ts-io/core";
import type { SeededRandom } from "../../../../test/harness/seeded-random.ts";
import type { ConsumerOptions } from "../../src/consumer-options.ts";
import type { KinesisRecord } from "../../src/kinesis-record.ts";
import type { DeduplicatingTopic } from "../support/deduplicating-topic.ts";
import type { Rig, Worker } from "../support/rig.ts";
import { Pipeline } from "./pipeline.ts";
import type { Promises } from "./promises.ts";

/** At a time. */
const mostHosts = 4;
/** Some begin as others do: each is one instance's. */
const instanceIds = ["1", "10", "1-1", "2"];

/** One process: a worker, and the records whose receipts it still waits for. */
export interface Host {
  readonly worker: Worker;
  readonly instanceId: string;
  readonly waiting: KinesisRecord[];
  /** Where records are numbered: those are published to a topic that drops what it has. */
  readonly pipeline: Pipeline | undefined;
}

/** The processes that there are, and the receipts they get. */
export class Hosts {
  /** So many records of each aggregate get their receipts, and no other record does; absent: as it comes. */
  receiptsInside: number | undefined;
  readonly #rig: Rig;
  readonly #promises: Promises;
  readonly #random: SeededRandom;
  readonly #topic: DeduplicatingTopic | undefined;
  readonly #options: Partial<ConsumerOptions>;
  readonly #all: Host[] = [];

  constructor(
    rig: Rig,
    promises: Promises,
    options: {
      readonly random: SeededRandom;
      readonly filterByHashKey: boolean;
      readonly topic: DeduplicatingTopic | undefined;
    },
  ) {
    const { random, filterByHashKey, topic } = options;
    this.#rig = rig;
    this.#promises = promises;
    this.#random = random;
    this.#topic = topic;
    this.#options = {
      maxBufferedRecords: 50,
      aggregates: { kind: "split", filterByHashKey },
      numberRecords: topic !== undefined,
    };
  }

  /** Any of them. */
  pick(): Host | undefined {
    return this.#random.pick(this.#all);
  }

  async add(instanceId = this.#random.pick(instanceIds) ?? ""): Promise<void> {
    if (this.#all.length >= mostHosts) return;
    const fanOut = this.#random.next() < 0.5;
    const options: Partial<ConsumerOptions> = {
      ...this.#options,
      instanceId,
      retrieval: fanOut
        ? { kind: "fan-out", consumerName: "orders-app", fallback: undefined }
        : { kind: "polling", idleMs: 1_000 },
    };
    for (let attempt = 1; ; attempt += 1) {
      const worker = this.#rig.worker(options);
      const pipeline = this.#topic && new Pipeline(this.#topic, worker.clock, this.#random);
      const host = { worker, instanceId, waiting: [], pipeline };
      if (pipeline !== undefined) worker.letGo = (partitionId) => pipeline.release(partitionId);
      worker.settle = (record) => this.#settle(host, record);
      try {
        await this.#rig.openWorker(worker);
        this.#all.push(host);
        return;
      } catch (error) {
        await this.#rig.close(worker);
        // As whoever runs the process does: it is started again.
        if (!isRetryable(error) || attempt === 5) throw error;
      }
    }
  }

  acknowledge(): void {
    for (const { waiting, pipeline } of this.#all) {
      for (const record of waiting.splice(0).reverse()) {
        if (pipeline?.receive(record) === false) continue;
        this.#promises.acknowledged(record);
        record.ack();
      }
    }
  }

  async kill(): Promise<void> {
    const host = this.#leave();
    host?.pipeline?.die();
    host?.worker.kill();
    if (this.#all.length === 0) await this.add();
  }

  async end(): Promise<void> {
    const host = this.#leave();
    if (host !== undefined) await this.#close(host);
    if (this.#all.length === 0) await this.add();
  }

  /** For longer than a lease lasts, with records fetched that the host was too busy to take. Receipts come when it is awake again. */
  async sleep(put: () => void): Promise<void> {
    const worker = this.pick()?.worker;
    worker?.intake.close();
    put();
    await this.#rig.pass(2_500);
    worker?.clock.stop();
    worker?.intake.open();
    await this.#rig.pass(30_000);
    worker?.clock.resume();
  }

  async closeAll(): Promise<void> {
    for (const host of this.#all) await this.#close(host);
  }

  /** @throws why the reading of one of them ended. */
  check(): void {
    for (const { worker, pipeline } of this.#all) {
      if (worker.failure !== undefined) throw worker.failure;
      pipeline?.check();
    }
  }

  #settle(host: Host, record: KinesisRecord): boolean {
    this.#promises.delivered(host.worker, record);
    host.pipeline?.send(record);
    const most = this.receiptsInside;
    if (most === undefined ? this.#random.next() < 0.3 : record.subSequenceNumber >= most) {
      host.waiting.push(record);
      return false;
    }
    if (host.pipeline?.receive(record) === false) return false;
    this.#promises.acknowledged(record);
    return true;
  }

  #leave(): Host | undefined {
    return this.#all.splice(this.#random.integer(0, this.#all.length - 1), 1)[0];
  }

  async #close({ worker, pipeline }: Host): Promise<void> {
    this.#promises.leaving(worker);
    await this.#rig.close(worker);
    pipeline?.check();
  }
}
