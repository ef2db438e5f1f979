import { contains, cut, evenRanges, type HashRange, hashOf, joined } from "./hash-range.ts";
import { ServiceError } from "./service-error.ts";
import { type PutEntry, Shard } from "./shard.ts";
import { StreamConsumers } from "./stream-consumers.ts";

export interface StreamOrigin {
  readonly name: string;
  readonly arn: string;
  readonly accountId: string;
  readonly shardCount: number;
  readonly createdMs: number;
  /** How long it is CREATING, and UPDATING after each change of its shards, milliseconds. */
  readonly transitionMs: number;
  /** Hands out creation stamps in seconds: each above the last, and not below `nowMs`. */
  readonly stamp: (nowMs: number) => number;
}

export type StreamStatus = "ACTIVE" | "CREATING" | "UPDATING";

export interface Placement {
  readonly shard: Shard;
  readonly sequenceNumber: bigint;
}

const hourMs = 3_600_000;

/** One stream: its shards, how they came from each other, and where a record goes. */
export class Stream {
  readonly name: string;
  readonly arn: string;
  readonly createdMs: number;
  /** Differs from that of every other stream there ever was, this one's namesakes included. */
  readonly generation: number;
  readonly consumers: StreamConsumers;
  readonly #origin: StreamOrigin;
  readonly #shards = new Map<string, Shard>();
  /** The open ones, by the start of their ranges. */
  #open: readonly Shard[] = [];
  #nextShardNumber = 0;
  #retentionHours = 24;
  #busyUntilMs: number;

  constructor(origin: StreamOrigin) {
    this.#origin = origin;
    this.name = origin.name;
    this.arn = origin.arn;
    this.consumers = new StreamConsumers(origin.arn, origin.transitionMs);
    this.createdMs = origin.createdMs;
    this.#busyUntilMs = origin.createdMs + origin.transitionMs;
    this.generation = origin.stamp(origin.createdMs);
    for (const range of evenRanges(origin.shardCount))
      this.#addShard(range, [], origin.createdMs, this.generation);
    this.#sortOpen();
  }

  get retentionHours(): number {
    return this.#retentionHours;
  }

  status(nowMs: number): StreamStatus {
    if (nowMs >= this.#busyUntilMs) return "ACTIVE";
    return this.#nextShardNumber === this.#origin.shardCount ? "CREATING" : "UPDATING";
  }

  /** Nothing older than this is kept. */
  trimHorizon(nowMs: number): number {
    return nowMs - this.#retentionHours * hourMs;
  }

  /** All shards of which something may be left, in the order of their ids. */
  shards(nowMs: number): readonly Shard[] {
    const horizon = this.trimHorizon(nowMs);
    for (const shard of this.#shards.values()) {
      if (shard.closedMs !== undefined && shard.closedMs < horizon) this.#shards.delete(shard.id);
      else trimBefore(shard, horizon);
    }
    return [...this.#shards.values()];
  }

  /** @throws ServiceError ResourceNotFoundException when there is none, or retention has passed it. */
  shard(id: string, nowMs: number): Shard {
    const shard = this.#shards.get(id);
    const horizon = this.trimHorizon(nowMs);
    if (shard === undefined || (shard.closedMs ?? horizon) < horizon) {
      throw new ServiceError(
        "ResourceNotFoundException",
        `Shard ${id} in stream ${this.name} under account ${this.#origin.accountId} does not exist`,
      );
    }
    trimBefore(shard, horizon);
    return shard;
  }

  /** The open shard that a hash key belongs to. */
  shardFor(hashKey: bigint): Shard {
    const open = this.#open;
    let low = 0;
    let high = open.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const start = open[middle]?.range.start ?? 0n;
      if (start <= hashKey) low = middle;
      else high = middle - 1;
    }
    const shard = open[low];
    if (shard !== undefined && contains(shard.range, hashKey)) return shard;
    throw new ServiceError("InternalFailure", `no open shard has hash key ${hashKey}`);
  }

  /** @param hashKey instead of the partition key's. */
  put(entry: PutEntry, nowMs: number, hashKey: bigint = hashOf(entry.partitionKey)): Placement {
    const shard = this.shardFor(hashKey);
    return { shard, sequenceNumber: shard.append(entry, nowMs) };
  }

  /** Splits an open shard; its second child starts at `at`. @returns both children. */
  split(shardId: string, at: bigint, nowMs: number): readonly Shard[] {
    const parent = this.#openShard(shardId, nowMs);
    const { start, end } = parent.range;
    if (at <= start + 1n || at >= end) {
      throw new ServiceError(
        "InvalidArgumentException",
        `NewStartingHashKey ${at} used in SplitShard() on shard ${shardId} in stream ${this.name} under account ${this.#origin.accountId} is not both greater than one plus the shard's StartingHashKey ${start} and less than the shard's EndingHashKey ${end}.`,
      );
    }
    return this.#replace([parent], cut(parent.range, at), nowMs);
  }

  /** Merges two adjacent open shards. @returns their child. */
  merge(shardId: string, adjacentId: string, nowMs: number): Shard {
    const parents = [this.#openShard(shardId, nowMs), this.#openShard(adjacentId, nowMs)] as const;
    const range = joined(parents[0].range, parents[1].range);
    if (range === undefined) {
      throw new ServiceError(
        "InvalidArgumentException",
        `Shards ${shardId} and ${adjacentId} in stream ${this.name} under account ${this.#origin.accountId} are not an adjacent pair of shards eligible for merging`,
      );
    }
    const [child] = this.#replace(parents, [range], nowMs);
    if (child === undefined) throw new ServiceError("InternalFailure", "a merge without a child");
    return child;
  }

  /** @param hours 24 to 8760. */
  setRetention(hours: number): void {
    this.#retentionHours = hours;
  }

  /** Forgets the records of a shard before `offset`, as retention does. */
  trim(shardId: string, offset: number): void {
    this.#shards.get(shardId)?.log.trim(offset);
  }

  /** Forgets a shard altogether, as retention does with a closed one. */
  expire(shardId: string): void {
    this.#shards.delete(shardId);
  }

  #openShard(id: string, nowMs: number): Shard {
    const shard = this.shard(id, nowMs);
    if (shard.open) return shard;
    throw new ServiceError(
      "InvalidArgumentException",
      `Shard ${id} in stream ${this.name} under account ${this.#origin.accountId} has already been merged or split, and thus is not eligible for merging or splitting.`,
    );
  }

  #replace(parents: readonly Shard[], ranges: readonly HashRange[], nowMs: number): readonly Shard[] {
    const stamp = this.#origin.stamp(nowMs);
    const parentIds = parents.map((parent) => parent.id);
    const children = ranges.map((range) => this.#addShard(range, parentIds, nowMs, stamp));
    for (const parent of parents) {
      parent.close(
        nowMs,
        children.map((child) => child.id),
      );
    }
    this.#sortOpen();
    this.#busyUntilMs = nowMs + this.#origin.transitionMs;
    return children;
  }

  #sortOpen(): void {
    const open = [...this.#shards.values()].filter((shard) => shard.open);
    this.#open = open.sort((a, b) => (a.range.start < b.range.start ? -1 : 1));
  }

  #addShard(range: HashRange, parentIds: readonly string[], createdMs: number, createdStamp: number): Shard {
    const shard = new Shard({ number: this.#nextShardNumber, range, parentIds, createdMs, createdStamp });
    this.#nextShardNumber += 1;
    this.#shards.set(shard.id, shard);
    return shard;
  }
}

/** Called on every read: looks at the oldest record first, which is almost always young enough. */
function trimBefore(shard: Shard, horizon: number): void {
  const oldest = shard.log.arrivedAt(shard.log.start);
  if (oldest !== undefined && oldest < horizon) shard.log.trim(shard.log.firstSince(horizon));
}
