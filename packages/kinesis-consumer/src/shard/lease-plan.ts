import type { StartPosition } from "@pulsar-ts-io/core";
import { type Checkpoint, initialCheckpoint } from "../checkpoint.ts";
import { ShardListingError } from "../errors.ts";
import type { Lease, NewLease } from "../lease/lease.ts";
import { isPartition } from "./hash-coverage.ts";
import { overlaps, type Shard, type ShardId } from "./shard.ts";

/** Where shards start that nobody has read yet. */
export interface InitialPosition {
  readonly position: StartPosition;
  /** Where a lease at LATEST is opened, milliseconds since the epoch. */
  readonly startTimeMs: number | undefined;
}

type Leases = ReadonlyMap<ShardId, Lease>;

const trimHorizon: Checkpoint = { kind: "trim-horizon" };

/**
 * The leases of an empty table: one for each shard that the service lists for the initial position.
 *
 * KCL takes the service's filter at its word. An emulator that ignores it lists parents beside their children: then the shards are
 * chosen here by the same rule.
 *
 * @throws ShardListingError (`PIO_SHARD_LISTING`) when they do not cover the hash keys once; list again.
 * @see EmptyLeaseTableSynchronizer in KCL
 */
export function planFirstLeases(shards: readonly Shard[], initial: InitialPosition): readonly NewLease[] {
  const atLatest = initial.position.kind === "latest";
  const chosen = [shards, atLatest ? shards.filter((shard) => shard.open) : oldestOf(shards)].find((some) =>
    isPartition(some.map((shard) => shard.hashKeyRange)),
  );
  if (chosen === undefined) {
    throw new ShardListingError(`the ${shards.length} listed shards do not cover the hash keys once`);
  }
  return inOrder(chosen).map((shard) => atInitial(shard, initial));
}

/**
 * The leases that a table with leases lacks. An open shard is reached through its ancestors: where one has a lease,
 * its end will create the rest, and only a missing other parent of a merge is added. Where none has one, reading starts with
 * the oldest ancestors listed, or, at LATEST, with the open shard itself.
 *
 * @throws ShardListingError (`PIO_SHARD_LISTING`) when a shard and its child are both open.
 * @see NonEmptyLeaseTableSynchronizer in KCL
 */
export function planMissingLeases(
  shards: readonly Shard[],
  leases: Leases,
  initial: InitialPosition,
): readonly NewLease[] {
  const lineage = new Lineage(shards, leases, initial.position.kind === "latest");
  for (const shard of shards) {
    if (!shard.open) continue;
    for (const parent of lineage.parentsOf(shard)) {
      if (parent.open) {
        throw new ShardListingError(`${shard.shardId} and its parent ${parent.shardId} are both open`);
      }
    }
    lineage.cover(shard);
  }
  return inOrder(lineage.missing).map((shard) => atInitial(shard, initial));
}

/**
 * The children that were forgotten: all parent rows are finished or gone, at least one is there, and no row of the shard's own
 * or of a descendant. KCL never repairs this. Anything wider would bring finished shards back.
 */
export function planForgottenChildren(shards: readonly Shard[], leases: Leases): readonly NewLease[] {
  const ancestors = ancestorsOfLeased(shards, leases);
  const forgotten = shards.filter((shard) => {
    if (leases.has(shard.shardId) || ancestors.has(shard.shardId)) return false;
    const rows = shard.parentShardIds.flatMap((id) => leases.get(id) ?? []);
    return rows.length > 0 && rows.every((row) => row.checkpoint.kind === "shard-end");
  });
  return inOrder(forgotten).map(atTrimHorizon);
}

/**
 * What continues a shard that the service has forgotten: the oldest listed shards without lease in its range of hash keys.
 *
 * KCL leaves them to its auditor, which starts them at the initial position: at LATEST their records are lost.
 */
export function planHeirs(gone: Lease, shards: readonly Shard[], leases: Leases): readonly NewLease[] {
  const listed = new Set(shards.map((shard) => shard.shardId));
  const ancestors = ancestorsOfLeased(shards, leases);
  const heirs = shards.filter((shard) => {
    if (leases.has(shard.shardId) || ancestors.has(shard.shardId)) return false;
    if (shard.parentShardIds.includes(gone.shardId)) return true;
    // Its parents may be shards that came and went unseen; but what another lease leads to is left to that lease.
    if (shard.parentShardIds.length === 0) return false;
    if (shard.parentShardIds.some((id) => listed.has(id) || leases.has(id))) return false;
    return gone.hashKeyRange !== undefined && overlaps(shard.hashKeyRange, gone.hashKeyRange);
  });
  return inOrder(oldestOf(heirs)).map(atTrimHorizon);
}

/** A new lease that starts with the shard's oldest record, as every child does. */
export function atTrimHorizon(shard: Pick<Shard, "shardId" | "parentShardIds" | "hashKeyRange">): NewLease {
  const { shardId, parentShardIds, hashKeyRange } = shard;
  return { shardId, parentShardIds, hashKeyRange, checkpoint: trimHorizon, startTimeMs: undefined };
}

function atInitial(shard: Shard, initial: InitialPosition): NewLease {
  const { shardId, parentShardIds, hashKeyRange } = shard;
  const checkpoint = initialCheckpoint(initial.position);
  const startTimeMs = checkpoint.kind === "latest" ? initial.startTimeMs : undefined;
  return { shardId, parentShardIds, hashKeyRange, checkpoint, startTimeMs };
}

/** How a shard is reached from the leases there are. */
type Reach =
  /** It has a lease, or an ancestor has one or will get one. */
  | "covered"
  /** It is an oldest ancestor, and reading starts with those. */
  | "root"
  | "unreached";

/** The listed shards as a graph; remembers what it found out about each. */
class Lineage {
  readonly missing = new Set<Shard>();
  readonly #shards: ReadonlyMap<ShardId, Shard>;
  readonly #leases: Leases;
  readonly #latest: boolean;
  readonly #reached = new Map<ShardId, Reach>();

  constructor(shards: readonly Shard[], leases: Leases, latest: boolean) {
    this.#shards = new Map(shards.map((shard) => [shard.shardId, shard]));
    this.#leases = leases;
    this.#latest = latest;
  }

  /** Those that are still listed. */
  parentsOf(shard: Shard): readonly Shard[] {
    return shard.parentShardIds.flatMap((id) => this.#shards.get(id) ?? []);
  }

  /** Makes sure that reading will come to `shard`. */
  cover(shard: Shard): void {
    if (this.#reach(shard) !== "covered") this.missing.add(shard);
  }

  #reach(shard: Shard): Reach {
    const known = this.#reached.get(shard.shardId);
    if (known !== undefined) return known;
    const found = this.#leases.has(shard.shardId) ? "covered" : this.#reachByParents(shard);
    this.#reached.set(shard.shardId, found);
    return found;
  }

  #reachByParents(shard: Shard): Reach {
    const parents = this.parentsOf(shard);
    const reaches = parents.map((parent) => this.#reach(parent));
    if (reaches.every((reach) => reach === "unreached")) return this.#latest ? "unreached" : "root";
    // One parent is covered or will be: a merge needs the other one too.
    for (const [index, parent] of parents.entries()) {
      if (reaches[index] !== "covered") this.missing.add(parent);
    }
    return "covered";
  }
}

function ancestorsOfLeased(shards: readonly Shard[], leases: Leases): ReadonlySet<ShardId> {
  const byId = new Map(shards.map((shard) => [shard.shardId, shard]));
  const ancestors = new Set<ShardId>();
  const ahead = [...leases.values()].flatMap((lease) => [
    ...lease.parentShardIds,
    ...(byId.get(lease.shardId)?.parentShardIds ?? []),
  ]);
  for (let id = ahead.pop(); id !== undefined; id = ahead.pop()) {
    if (ancestors.has(id)) continue;
    ancestors.add(id);
    ahead.push(...(byId.get(id)?.parentShardIds ?? []));
  }
  return ancestors;
}

/** Without those that descend from another one among them. */
function oldestOf(shards: readonly Shard[]): readonly Shard[] {
  const ids = new Set(shards.map((shard) => shard.shardId));
  return shards.filter((shard) => !shard.parentShardIds.some((id) => ids.has(id)));
}

/** By the first sequence number, then by id: KCL's order of creation. */
function inOrder(shards: Iterable<Shard>): readonly Shard[] {
  return [...shards].sort((a, b) => {
    if (a.startingSequenceNumber !== b.startingSequenceNumber) {
      return a.startingSequenceNumber < b.startingSequenceNumber ? -1 : 1;
    }
    return a.shardId < b.shardId ? -1 : 1;
  });
}
