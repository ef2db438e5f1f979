import { crowdedController } from "@pulsar-ts-io/core";
import type { SeededRandom } from "../../../../test/harness/seeded-random.ts";
import type { KinesisRecord } from "../../src/kinesis-record.ts";
import type { DeduplicatingTopic } from "../support/deduplicating-topic.ts";
import type { WorkerClock } from "../support/worker-clock.ts";

/** How long a host may take to close a producer, milliseconds. */
const longestReleaseMs = 3_000;
const never = crowdedController().signal;

/**
 * The records of one process on their way into a topic: of each partition in order, their receipts later. What is on its way when the
 * process dies is lost; when a partition is released it may arrive yet or not, and nobody gets a receipt.
 */
export class Pipeline {
  readonly #topic: DeduplicatingTopic;
  readonly #clock: WorkerClock;
  readonly #random: SeededRandom;
  readonly #sent = new Map<string, KinesisRecord[]>();
  readonly #published = new Set<KinesisRecord>();
  readonly #releasing = new Map<string, number>();
  #broken: unknown;
  #dead = false;

  constructor(topic: DeduplicatingTopic, clock: WorkerClock, random: SeededRandom) {
    this.#topic = topic;
    this.#clock = clock;
    this.#random = random;
  }

  /** The process was given a record. */
  send(record: KinesisRecord): void {
    const { partitionId } = record;
    if (this.#releasing.has(partitionId)) {
      throw new Error(`a record of ${partitionId} was handed out while the host lets go of it`);
    }
    const sent = this.#sent.get(partitionId) ?? [];
    this.#sent.set(partitionId, sent);
    sent.push(record);
  }

  /** A receipt is to come. @returns false when none does: the record was given up with its partition. */
  receive(record: KinesisRecord): boolean {
    const sent = this.#sent.get(record.partitionId) ?? [];
    const place = sent.indexOf(record);
    if (place >= 0) this.#publish(sent.splice(0, place + 1));
    return this.#published.delete(record);
  }

  async release(partitionId: string): Promise<void> {
    this.#releasing.set(partitionId, (this.#releasing.get(partitionId) ?? 0) + 1);
    const arrives = this.#random.next() < 0.5;
    await this.#clock.sleep(this.#random.integer(0, longestReleaseMs), never);
    const sent = this.#sent.get(partitionId)?.splice(0) ?? [];
    if (arrives) this.#publish(sent);
    for (const record of this.#published) {
      if (record.partitionId === partitionId) this.#published.delete(record);
    }
    const left = (this.#releasing.get(partitionId) ?? 0) - 1;
    if (left > 0) this.#releasing.set(partitionId, left);
    else this.#releasing.delete(partitionId);
  }

  die(): void {
    this.#dead = true;
  }

  /** @throws what was wrong with what was published. */
  check(): void {
    if (this.#broken !== undefined) throw this.#broken;
  }

  #publish(records: readonly KinesisRecord[]): void {
    if (this.#dead) return;
    try {
      for (const record of records) {
        this.#topic.publish(record);
        this.#published.add(record);
      }
    } catch (error) {
      this.#broken ??= error;
    }
  }
}
