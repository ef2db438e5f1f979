import type { SeededRandom } from "../../../../test/harness/seeded-random.ts";
import { compareCheckpoints } from "../../src/checkpoint.ts";
import type { Lease } from "../../src/lease/lease.ts";
import type { Rig } from "../support/rig.ts";
import type { Promises } from "./promises.ts";

/** What others do to the stream and the table after which a shard's records are numbered anew. */
export class Outsiders {
  readonly #rig: Rig;
  readonly #promises: Promises;
  readonly #random: SeededRandom;

  constructor(rig: Rig, promises: Promises, random: SeededRandom) {
    this.#rig = rig;
    this.#promises = promises;
    this.#random = random;
  }

  /** A worker of Java's steals a lease, publishes some records, stores a checkpoint and is stopped. */
  javaReadsOn(): void {
    const lease = this.#random.pick(this.#readable());
    if (lease === undefined) return;
    const left = this.#promises
      .placesOf(lease.shardId)
      .filter((place) => compareCheckpoints({ kind: "after", ...place }, lease.checkpoint) > 0);
    const read = left.slice(0, this.#random.integer(1, 30));
    const last = read.at(-1);
    if (last === undefined) return;
    for (const place of read) this.#promises.publishedElsewhere(lease.shardId, place);
    this.#rig.table.rows.set(lease.shardId, {
      ...lease,
      owner: undefined,
      counter: lease.counter + 3,
      checkpoint: { kind: "after", ...last },
      startTimeMs: undefined,
    });
  }

  /** Retention takes the record at a checkpoint, and all before it. */
  trim(): void {
    const lease = this.#random.pick(this.#readable().filter((one) => one.checkpoint.kind === "after"));
    if (lease?.checkpoint.kind !== "after") return;
    const { sequenceNumber } = lease.checkpoint;
    const covers = this.#promises
      .placesOf(lease.shardId)
      .filter((place) => place.sequenceNumber === sequenceNumber)
      .every((place) => compareCheckpoints({ kind: "after", ...place }, lease.checkpoint) <= 0);
    const records = this.#rig.placed.filter((one) => one.shardId === lease.shardId);
    const index = records.findIndex((one) => one.sequenceNumber === sequenceNumber);
    this.#rig.stream.trim(lease.shardId, covers ? index + 1 : index);
  }

  /** Whose parents have been read to their ends, and that nobody hands over. */
  #readable(): readonly Lease[] {
    const { rows } = this.#rig.table;
    const finished = (id: Lease["shardId"]) => (rows.get(id)?.checkpoint.kind ?? "shard-end") === "shard-end";
    return [...rows.values()].filter(
      ({ checkpoint, checkpointOwner, parentShardIds }) =>
        checkpoint.kind !== "shard-end" && checkpointOwner === undefined && parentShardIds.every(finished),
    );
  }
}
