import { createHash } from "node:crypto";
import type { ShardId } from "../shard/shard.ts";
import { type Lease, readerOf } from "./lease.ts";

/** A lease, and what was seen of it by this machine's monotonic clock, milliseconds. */
export interface SeenLease {
  readonly lease: Lease;
  /** Since when it has not changed; its first sighting at the earliest. */
  readonly sinceMs: number;
  /** When it is anyone's, unless it changes before; at once when it is nobody's. */
  readonly expiresMs: number;
  /** When it was last seen to change while its reader stayed: proof that he lives. */
  readonly renewedMs: number | undefined;
  /** When its checkpoint was last seen to move. */
  readonly checkpointedMs: number | undefined;
}

/** The table as one worker sees it. */
export interface ShareView {
  readonly workerId: string;
  readonly leases: readonly SeenLease[];
  readonly isHeld: (id: ShardId) => boolean;
  readonly nowMs: number;
  readonly failoverMs: number;
}

/** How many leases each living worker has, this one included. Finished ones count, as KCL counts them. */
export function loadsOf(view: ShareView): Map<string, number> {
  const loads = new Map([[view.workerId, 0]]);
  for (const seen of view.leases) {
    const owner = ownerOf(seen.lease, view);
    if (owner === undefined || (owner !== view.workerId && hasExpired(seen, view))) continue;
    loads.set(owner, (loads.get(owner) ?? 0) + 1);
  }
  return loads;
}

/** How many more leases this worker should have; negative when it has more than its share. @see DynamoDBLeaseTaker in KCL */
export function leasesNeeded(view: ShareView, loads: ReadonlyMap<string, number>): number {
  return Math.ceil(view.leases.length / loads.size) - (loads.get(view.workerId) ?? 0);
}

/**
 * The leases of living workers that this worker should take over for all to have as many, give or take one.
 *
 * Only from workers that were seen to renew, the one with the most first, and only while it has at least two more: at a
 * difference of one a lease would go to and fro for ever.
 *
 * @param barred leases that were taken from this worker a moment ago.
 */
export function leasesToSteal(view: ShareView, barred: (lease: Lease) => boolean): readonly SeenLease[] {
  const loads = loadsOf(view);
  const candidates = candidatesByOwner(view, barred);
  const ordered = new Set<string>();
  const stolen: SeenLease[] = [];
  let mine = loads.get(view.workerId) ?? 0;
  for (;;) {
    const [victim, load] = mostLoaded(loads, candidates);
    // Mostly there is nothing to be done: thousands of leases are put in order only when there is.
    if (load - mine < 2) return stolen;
    if (!ordered.has(victim)) candidates.set(victim, inOrder(candidates.get(victim) ?? [], view));
    ordered.add(victim);
    const seen = candidates.get(victim)?.shift();
    if (seen === undefined) return stolen;
    stolen.push(seen);
    loads.set(victim, load - 1);
    mine += 1;
  }
}

/** Whether `lease` was last taken by a worker of this package: such a one hands it over when asked. */
export function isOurs(lease: Lease): boolean {
  return lease.owner !== undefined && lease.consumerWorker === lease.owner;
}

/** Which of `workers` a lease falls to: all agree without a word, and each gets about as many. (Rendezvous hashing.) */
export function chosenWorker(id: ShardId, workers: Iterable<string>): string | undefined {
  let chosen: { readonly worker: string; readonly weight: string } | undefined;
  for (const worker of workers) {
    const weight = weightOf(worker, id);
    if (chosen === undefined || weight > chosen.weight) chosen = { worker, weight };
  }
  return chosen?.worker;
}

/** The workers of this package that live, this one included. */
export function ourWorkers(view: ShareView): ReadonlySet<string> {
  const others = view.leases.filter((seen) => isOurs(seen.lease) && !hasExpired(seen, view));
  return new Set([view.workerId, ...others.flatMap(({ lease }) => lease.owner ?? [])]);
}

/** Whoever reads it or is named as the next to read it. */
function ownerOf(lease: Lease, { isHeld, workerId }: ShareView): string | undefined {
  const leaving = lease.checkpointOwner === workerId;
  return isHeld(lease.shardId) && !leaving ? workerId : lease.owner;
}

function hasExpired({ expiresMs }: SeenLease, { nowMs }: ShareView): boolean {
  return nowMs >= expiresMs;
}

/** What may be taken from each worker, in no order. */
function candidatesByOwner(view: ShareView, barred: (lease: Lease) => boolean): Map<string, SeenLease[]> {
  const living = provenAlive(view);
  const byOwner = new Map<string, SeenLease[]>();
  for (const seen of view.leases) {
    const owner = ownerOf(seen.lease, view);
    if (owner === undefined || owner === view.workerId || hasExpired(seen, view)) continue;
    if (!isMovable(seen.lease) || barred(seen.lease)) continue;
    const candidates = byOwner.get(owner);
    if (candidates !== undefined) candidates.push(seen);
    else if (living.has(owner)) byOwner.set(owner, [seen]);
  }
  return byOwner;
}

/** Workers that were seen to renew within the time that a lease lasts. */
function provenAlive({ leases, nowMs, failoverMs }: ShareView): ReadonlySet<string | undefined> {
  const renewed = leases.filter((seen) => nowMs - (seen.renewedMs ?? -Infinity) <= failoverMs);
  return new Set(renewed.map(({ lease }) => readerOf(lease)));
}

/** A finished shard is not read, so nothing is gained by moving it; one that moves already is left to do so. */
function isMovable(lease: Lease): boolean {
  return lease.checkpoint.kind !== "shard-end" && readerOf(lease) === lease.owner;
}

/** Those first that are best taken. */
function inOrder(leases: readonly SeenLease[], { workerId }: ShareView): SeenLease[] {
  const weighed = leases.map((seen) => ({ seen, weight: weightOf(workerId, seen.lease.shardId) }));
  weighed.sort((a, b) => {
    const newer = (b.seen.checkpointedMs ?? 0) - (a.seen.checkpointedMs ?? 0);
    // Java does not store a checkpoint when it loses a lease: least is read twice where it has just stored one.
    if (newer !== 0 && !isOurs(a.seen.lease)) return newer;
    // Another order for each worker: two that look at the same moment seldom want the same lease.
    return a.weight < b.weight ? -1 : 1;
  });
  return weighed.map(({ seen }) => seen);
}

function mostLoaded(
  loads: ReadonlyMap<string, number>,
  candidates: ReadonlyMap<string, readonly SeenLease[]>,
): readonly [worker: string, load: number] {
  let most: readonly [string, number] = ["", 0];
  for (const [worker, leases] of candidates) {
    const load = loads.get(worker) ?? 0;
    if (leases.length > 0 && load > most[1]) most = [worker, load];
  }
  return most;
}

function weightOf(worker: string, id: ShardId): string {
  return createHash("md5").update(`${worker} ${id}`).digest("hex");
}
