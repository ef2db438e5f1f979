import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../harness/eventually.ts";
import type { LeaseRow } from "../harness/lease-rows.ts";
import type { OurWorker } from "./our-worker.ts";
import type { Sighting } from "./sighting.ts";

/** A lease that got another owner, or none. */
export interface Move {
  readonly shardId: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** When the table was last seen without it: it happened after that. Milliseconds of `performance.now()`. */
  readonly afterMs: number;
  /** When it was noticed. */
  readonly atMs: number;
}

const lookMs = 50;
/** A worker of ours learns within a renewal that a lease is another's. */
export const silentWithinMs = 3_400;

/** Looks at a lease table again and again, and remembers who got what and whether a checkpoint ever moved backwards. */
export class TableWatch implements AsyncDisposable {
  readonly moves: Move[] = [];
  /** Checkpoints that were replaced by older ones. */
  readonly setbacks: string[] = [];
  #slowestMs = 0;
  readonly #rows: () => Promise<readonly LeaseRow[]>;
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;
  #last = new Map<string, LeaseRow>();

  constructor(rows: () => Promise<readonly LeaseRow[]>) {
    this.#rows = rows;
    this.#watching = this.#watch();
    this.#watching.catch(() => {}); // disposing throws it
  }

  /** The longest that a look at the table took: how far the machine is behind. */
  get slowestMs(): number {
    return this.#slowestMs;
  }

  /** How many leases each owner has; what a finished shard leaves counts, as it does for KCL. */
  get loads(): ReadonlyMap<string, number> {
    const loads = new Map<string, number>();
    for (const row of this.#last.values()) {
      const owner = row["leaseOwner"]?.S;
      if (owner !== undefined) loads.set(owner, (loads.get(owner) ?? 0) + 1);
    }
    return loads;
  }

  get leaseCount(): number {
    return this.#last.size;
  }

  /** The shards of an owner. */
  shardsOf(owner: string): readonly string[] {
    return [...this.#last].flatMap(([id, row]) => (row["leaseOwner"]?.S === owner ? [id] : []));
  }

  /** Waits until every lease has an owner, `workers` of them, none with two more than another. @returns when it was so. */
  async balanced(workers: number, timeoutMs = 90_000): Promise<number> {
    return await eventually(
      `leases shared by ${workers}`,
      () => {
        const loads = [...this.loads.values()];
        const owned = loads.reduce((sum, load) => sum + load, 0);
        const even = loads.length === workers && Math.max(...loads) - Math.min(...loads) <= 1;
        return even && owned === this.#last.size && performance.now();
      },
      { timeoutMs },
    ).catch((cause: unknown) => {
      throw new Error(`the leases are shared as ${JSON.stringify([...this.loads])}`, { cause });
    });
  }

  movesSince(atMs: number): readonly Move[] {
    return this.moves.filter((move) => move.atMs > atMs);
  }

  /** What must never be: checkpoints that moved backwards; of `workers`, records of shards they had lost, and errors in their logs. */
  faults(workers: readonly OurWorker[]): readonly unknown[] {
    const ofWorkers = workers.flatMap((worker) => [
      ...this.#late(worker),
      ...worker.logger.messages("error"),
    ]);
    return [...this.setbacks, ...ofWorkers];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    for (let afterMs = 0, nextAfterMs = 0; !this.#stop.signal.aborted; afterMs = nextAfterMs) {
      nextAfterMs = performance.now();
      const rows = await this.#rows();
      const atMs = performance.now();
      this.#slowestMs = Math.max(this.#slowestMs, atMs - nextAfterMs);
      const seen = new Map<string, LeaseRow>();
      for (const row of rows) {
        if (row["checkpoint"] === undefined) continue; // KCL 3.5 keeps rows of other kinds in the same table
        const shardId = row["leaseKey"]?.S ?? "";
        seen.set(shardId, row);
        this.#compare(shardId, this.#last.get(shardId), row, { afterMs, atMs });
      }
      this.#last = seen;
      await delay(lookMs);
    }
  }

  /** Records that `worker` handed out when it must have known that it had lost their shard, and before it had it again. */
  #late(worker: OurWorker): readonly Sighting[] {
    const isMe = (owner: string | undefined) => owner !== undefined && worker.isMe(owner);
    return worker.records.filter(({ shardId, atMs }) => {
      const moves = this.moves.filter((move) => move.shardId === shardId);
      const last = moves.findLast((move) => move.atMs <= atMs);
      if (!isMe(last?.from) || isMe(last?.to) || atMs <= (last?.atMs ?? 0) + silentWithinMs) return false;
      // A worker reads in the moment in which it takes a lease: sooner than anybody can see in the table that it did.
      return !moves.some((move) => isMe(move.to) && move.afterMs <= atMs && atMs < move.atMs);
    });
  }

  #compare(
    shardId: string,
    before: LeaseRow | undefined,
    now: LeaseRow,
    when: Pick<Move, "afterMs" | "atMs">,
  ): void {
    const [from, to] = [before?.["leaseOwner"]?.S, now["leaseOwner"]?.S];
    if (from !== to) this.moves.push({ shardId, from, to, ...when });
    if (before !== undefined && rank(now) < rank(before)) {
      this.setbacks.push(`${shardId}: ${before["checkpoint"]?.S} became ${now["checkpoint"]?.S}`);
    }
  }
}

/** Where a checkpoint stands among those of its shard; a part of an aggregate counts less than a record. */
function rank(row: LeaseRow): bigint {
  const checkpoint = row["checkpoint"]?.S ?? "";
  if (checkpoint === "SHARD_END") return 1n << 220n;
  if (!/^\d+$/.test(checkpoint)) return -1n;
  return (BigInt(checkpoint) << 20n) + BigInt(row["checkpointSubSequenceNumber"]?.N ?? 0);
}
