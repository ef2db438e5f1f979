import type { SeededRandom } from "../../../../test/harness/seeded-random.ts";
import { aggregateOf } from "../support/kpl-encoder.ts";
import type { Rig } from "../support/rig.ts";
import type { Promises } from "./promises.ts";

/** Open shards at a time. */
const mostShards = 7;

/** What is put on the stream, and how the stream is cut. */
export class Producer {
  readonly #rig: Rig;
  readonly #promises: Promises;
  readonly #random: SeededRandom;
  readonly #filterByHashKey: boolean;

  /** @param options.filterByHashKey whether an aggregate with a key of another shard is to be dropped. */
  constructor(
    rig: Rig,
    promises: Promises,
    options: { readonly random: SeededRandom; readonly filterByHashKey: boolean },
  ) {
    this.#rig = rig;
    this.#promises = promises;
    this.#random = options.random;
    this.#filterByHashKey = options.filterByHashKey;
  }

  put(): void {
    const count = this.#random.integer(1, 40);
    const from = this.#rig.placed.length;
    this.#rig.put(count);
    for (const { shardId, sequenceNumber } of this.#rig.placed.slice(from)) {
      this.#promises.put(shardId, sequenceNumber);
    }
  }

  /** One of four was packed when its records were of one shard, which they are no more. */
  putAggregate(): void {
    const hashKey = this.#hashKey();
    const hashKeys = Array.from({ length: this.#random.integer(2, 9) }, () => hashKey);
    if (this.#random.next() < 0.25) hashKeys.push(this.#hashKey());
    this.#putPacked(hashKeys);
  }

  /** Puts an aggregate of five on each shard. */
  putAggregates(): void {
    for (const { range } of this.#openShards()) this.#putPacked(Array.from({ length: 5 }, () => range.start));
  }

  split(): void {
    const shards = this.#openShards();
    const shard = this.#random.pick(shards);
    if (shard === undefined || shards.length >= mostShards) return;
    const middle = (shard.range.start + shard.range.end) / 2n;
    this.#rig.stream.split(shard.id, middle, this.#rig.clock.now());
  }

  merge(): void {
    const shards = this.#openShards();
    const one = this.#random.pick(shards);
    const other = shards.find((shard) => shard.range.start === (one?.range.end ?? 0n) + 1n);
    if (one !== undefined && other !== undefined) {
      this.#rig.stream.merge(one.id, other.id, this.#rig.clock.now());
    }
  }

  /** Puts an aggregate where the first of `hashKeys` belongs, a record for each of them in it. */
  #putPacked(hashKeys: readonly bigint[]): void {
    const records = hashKeys.map((explicitHashKey, part) => ({
      partitionKey: `part-${part}`,
      explicitHashKey,
      data: Buffer.from(`part ${part}`),
    }));
    this.#rig.putBytes(aggregateOf(records), "packed", hashKeys[0]);
    const { shardId, sequenceNumber } = this.#rig.placed.at(-1) ?? { shardId: "", sequenceNumber: 0n };
    const { range } = this.#rig.stream.shard(shardId, this.#rig.clock.now());
    const foreign = hashKeys.some((key) => key < range.start || key > range.end);
    this.#promises.put(shardId, sequenceNumber, this.#filterByHashKey && foreign ? 0 : hashKeys.length);
  }

  #hashKey(): bigint {
    return BigInt(this.#random.integer(0, 2 ** 32 - 1)) << 96n;
  }

  #openShards() {
    return this.#rig.stream.shards(this.#rig.clock.now()).filter((shard) => shard.open);
  }
}
