import { expect } from "vitest";
import { compareCheckpoints } from "../../src/checkpoint.ts";
import type { KinesisRecord } from "../../src/kinesis-record.ts";
import type { Lease } from "../../src/lease/lease.ts";
import type { DeduplicatingTopic } from "../support/deduplicating-topic.ts";
import type { Rig, Worker } from "../support/rig.ts";
import { LeasePromises, leaseMs } from "./lease-promises.ts";

/** A record that was put, by the place it has in its shard. */
interface Expected {
  readonly sequenceNumber: bigint;
  readonly subSequenceNumber: number;
}

/** What is promised whatever happens, held against each write of the table and each record that a worker is given. */
export class Promises {
  readonly #rig: Rig;
  readonly #expected = new Map<string, Expected[]>();
  readonly #acknowledged = new Set<string>();
  readonly #elsewhere = new Set<string>();
  readonly #leases: LeasePromises;
  /** The first promise that was broken. */
  #broken: unknown;

  constructor(rig: Rig) {
    this.#rig = rig;
    this.#leases = new LeasePromises(rig);
    rig.table.stored = (...write) => this.#note(() => this.#stored(...write));
  }

  /** Something is to be delivered. @param parts of an aggregate, those that are this shard's. */
  put(shardId: string, sequenceNumber: bigint, parts = 1): void {
    const records = this.#expected.get(shardId) ?? [];
    this.#expected.set(shardId, records);
    for (let part = 0; part < parts; part += 1) records.push({ sequenceNumber, subSequenceNumber: part });
  }

  /** This worker is being closed. */
  leaving(worker: Worker): void {
    this.#leases.leaving(worker.consumer.workerId);
  }

  /** A host was given a record. */
  delivered(worker: Worker, record: KinesisRecord): void {
    this.#note(() => this.#checkDelivery(worker.consumer.workerId, record));
  }

  /** Pulsar has a record. */
  acknowledged(record: KinesisRecord): void {
    this.#acknowledged.add(keyOf(record.shardId, placeOf(record)));
  }

  /** The records that there are in a shard, in their order. */
  placesOf(shardId: string): readonly Expected[] {
    return this.#expected.get(shardId) ?? [];
  }

  /** Somebody else has published a record. */
  publishedElsewhere(shardId: string, place: Expected): void {
    const key = keyOf(shardId, place);
    this.#acknowledged.add(key);
    this.#elsewhere.add(key);
  }

  /**
   * Holds a topic against all that was put.
   *
   * @param once whether no shard was numbered anew: then each record is there once. Otherwise it may be there again in another epoch.
   */
  checkTopic(topic: DeduplicatingTopic, once: boolean): void {
    const partitions = new Map<string, Set<string>>();
    for (const { shardId, partitionId } of topic.stored) {
      partitions.set(shardId, (partitions.get(shardId) ?? new Set()).add(partitionId));
    }
    for (const [shardId, records] of this.#expected) {
      const expected = records.map((place) => keyOf(shardId, place));
      const stored = topic.stored.filter((record) => record.shardId === shardId);
      const keys = stored.map((record) => keyOf(shardId, placeOf(record)));
      if (once) expect(keys, `what was published of ${shardId}`).toEqual(expected);
      const there = new Set([...keys, ...this.#elsewhere]);
      expect(expected.filter((key) => !there.has(key))).toEqual([]);
      for (const partitionId of partitions.get(shardId) ?? []) {
        const own = keys.filter((_key, index) => stored[index]?.partitionId === partitionId);
        expect(own, `what was published of ${partitionId}`).toEqual(
          expected.filter((key) => own.includes(key)),
        );
      }
    }
  }

  get allAcknowledged(): boolean {
    return this.missing.length === 0;
  }

  get missing(): readonly string[] {
    return [...this.#expected].flatMap(([shardId, records]) =>
      records.map((place) => keyOf(shardId, place)).filter((key) => !this.#acknowledged.has(key)),
    );
  }

  /** @throws what was broken first. */
  check(): void {
    if (this.#broken !== undefined) throw this.#broken;
  }

  /** The assertions run inside calls of the code under test, which may take their failure for the table's. */
  #note(assertion: () => void): void {
    try {
      assertion();
    } catch (error) {
      this.#broken ??= error;
    }
  }

  #stored(method: string, row: Lease, before: Lease, answered: boolean): void {
    const { shardId, checkpoint } = row;
    if (method === "requestHandOff") this.#leases.asked(row);
    else if (method === "take") this.#leases.taken(row, before, answered);
    else if (method === "write") this.#leases.written(row, before, answered);
    const order = compareCheckpoints(checkpoint, before.checkpoint);
    expect(order, `the checkpoint of ${shardId} went back`).toBeGreaterThanOrEqual(0);
    if (order === 0) return;
    expect(method, `the checkpoint of ${shardId} moved`).toBe("write");
    for (const place of this.#expected.get(shardId) ?? []) {
      const covered = compareCheckpoints({ kind: "after", ...place }, checkpoint) <= 0;
      if (covered) this.#requireAcknowledged(shardId, place, "a checkpoint");
    }
  }

  #checkDelivery(workerId: string, record: KinesisRecord): void {
    const { shardId } = record;
    const expected = this.#expected.get(shardId) ?? [];
    const { sequenceNumber, subSequenceNumber } = placeOf(record);
    const put = expected.some(
      (place) => place.sequenceNumber === sequenceNumber && place.subSequenceNumber === subSequenceNumber,
    );
    expect(put, `${keyOf(shardId, placeOf(record))} is nothing to deliver`).toBe(true);
    const hold = this.#leases.hold(workerId, shardId);
    if (hold === undefined)
      throw new Error(`${workerId} was given a record of ${shardId}, which it does not have`);
    const ageMs = this.#rig.clock.monotonic() - hold.writtenMs;
    expect(ageMs, `${workerId} reads ${shardId} on a lease of ${ageMs} ms ago`).toBeLessThanOrEqual(leaseMs);
    if (hold.last !== undefined) {
      const [last, next] = [hold.last, record].map(placeOf) as [Expected, Expected]; // two in, two out
      const order = compareCheckpoints({ kind: "after", ...next }, { kind: "after", ...last });
      expect(order, `${workerId} was given ${shardId} out of order`).toBeGreaterThan(0);
    }
    hold.last = record;
    const shard = this.#rig.stream.shard(shardId, this.#rig.clock.now());
    for (const parentId of shard.parentIds) {
      for (const place of this.#expected.get(parentId) ?? []) {
        this.#requireAcknowledged(parentId, place, `a record of its child ${shardId}`);
      }
    }
  }

  #requireAcknowledged(shardId: string, place: Expected, by: string): void {
    const key = keyOf(shardId, place);
    expect(this.#acknowledged.has(key), `${key} is not acknowledged, and passed by ${by}`).toBe(true);
  }
}

function placeOf({ sequenceNumber, subSequenceNumber }: KinesisRecord): Expected {
  return { sequenceNumber: BigInt(sequenceNumber), subSequenceNumber };
}

function keyOf(shardId: string, { sequenceNumber, subSequenceNumber }: Expected): string {
  return `${shardId}/${sequenceNumber}/${subSequenceNumber}`;
}
