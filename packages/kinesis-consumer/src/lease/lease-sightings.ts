import { compareCheckpoints } from "../checkpoint.ts";
import type { ShardId } from "../shard/shard.ts";
import { type Lease, readerOf } from "./lease.ts";
import { renewIntervalMs } from "./lease-coordinator.ts";
import type { SeenLease } from "./lease-share.ts";

/** KCL's renewal tick waits for its slowest lease: one late tick looks dead. */
const adoptionSlackMs = 500;
/** Part of the failover time: half a second of KCL's ten. */
const maxJitter = 1 / 20;

export interface LeaseSightingsOptions {
  readonly workerId: string;
  /** Whose leases are adopted early: `<instanceId>`, as Java writes it, and `<instanceId>-<8 random>`, as we do. */
  readonly instanceId: string;
  readonly failoverMs: number;
  readonly restraint: TakingRestraint;
  /** A number in [0, 1). */
  readonly random: () => number;
}

interface Sighting extends SeenLease {
  /** How long it is left alone once it has expired: not all that wait for it take it at the same moment. */
  readonly jitterMs: number;
}

/** A lease that may be wanted by workers who take turns in another way. */
export interface LeaseCase {
  /** When this worker would take it if there were none of them. */
  readonly fromMs: number;
  /** Since when it has not changed. */
  readonly sinceMs: number;
  /** When any lease of another worker was last seen to change. */
  readonly renewedMs: number;
}

/** Puts off the taking of leases. */
export interface TakingRestraint {
  /** From when on a lease may be taken, monotonic milliseconds. */
  takeableFromMs(lease: LeaseCase): number;
  /** Whether leases of living workers may be taken. */
  readonly maySteal: boolean;
}

/** A lease that this worker may take, now or soon. */
export interface Takeable {
  readonly lease: Lease;
  /** Monotonic milliseconds from which it may be taken, unless it changes before. */
  readonly fromMs: number;
}

/**
 * Remembers since when each lease has not changed, by this machine's monotonic clock: the only way a lease expires.
 *
 * No wall clocks are compared; the taking itself proves that nothing was written since the sighting.
 */
export class LeaseSightings {
  readonly #options: LeaseSightingsOptions;
  readonly #ownName: RegExp;
  #seen = new Map<ShardId, Sighting>();
  #jitterMs = 0;

  constructor(options: LeaseSightingsOptions) {
    this.#options = options;
    const escaped = options.instanceId.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
    this.#ownName = new RegExp(`^${escaped}(-[0-9a-z]{8})?$`);
  }

  /** All leases as last seen. */
  get leases(): readonly SeenLease[] {
    return [...this.#seen.values()];
  }

  /** Replaces what is known with the result of a scan. @param scannedMs when the scan had returned, monotonic. */
  scanned(leases: readonly Lease[], scannedMs: number): void {
    const before = this.#seen;
    this.#seen = new Map();
    // One for all leases that are seen to change together: a worker's death is one round of takes, not a thousand.
    this.#jitterMs = this.#options.random() * this.#options.failoverMs * maxJitter;
    for (const lease of leases) {
      const known = before.get(lease.shardId);
      if (known !== undefined && isOlder(lease, known.lease)) this.#seen.set(lease.shardId, known);
      else this.#see(lease, scannedMs, known);
    }
  }

  /** Notes one lease, as a write of ours or a refusal showed it. */
  saw(lease: Lease, seenMs: number): void {
    this.#see(lease, seenMs, this.#seen.get(lease.shardId));
  }

  /** Notes that the row is gone. */
  gone(id: ShardId): void {
    this.#seen.delete(id);
  }

  /** Leases that are not held here, each with the moment it may be taken. */
  takeable(isHeld: (id: ShardId) => boolean): readonly Takeable[] {
    const { restraint, workerId } = this.#options;
    const others = [...this.#seen.values()].filter(({ lease }) => !isHeld(lease.shardId));
    const renewedMs = Math.max(
      ...others.filter(({ lease }) => lease.owner !== undefined).map(({ sinceMs }) => sinceMs),
    );
    return others.map(({ lease, sinceMs, expiresMs, jitterMs }) => {
      const fromMs = expiresMs + jitterMs;
      if (readerOf(lease) === workerId) return { lease, fromMs };
      return { lease, fromMs: restraint.takeableFromMs({ fromMs, sinceMs, renewedMs }) };
    });
  }

  #see(lease: Lease, seenMs: number, before: Sighting | undefined): void {
    // A request names another owner, and proves nothing of the one who reads.
    const sameReader = before !== undefined && readerOf(before.lease) === readerOf(lease);
    const same = sameReader && before.lease.counter === lease.counter;
    const moved = sameReader && compareCheckpoints(lease.checkpoint, before.lease.checkpoint) !== 0;
    const sinceMs = same ? before.sinceMs : seenMs;
    const patienceMs = this.#patienceMs(lease);
    const contested = patienceMs === this.#options.failoverMs;
    this.#seen.set(lease.shardId, {
      lease,
      sinceMs,
      expiresMs: sinceMs + patienceMs,
      jitterMs: !contested ? 0 : same ? before.jitterMs : this.#jitterMs,
      renewedMs: !sameReader ? undefined : same ? before.renewedMs : seenMs,
      checkpointedMs: !sameReader ? undefined : moved ? seenMs : before.checkpointedMs,
    });
  }

  #patienceMs(lease: Lease): number {
    const { workerId, failoverMs } = this.#options;
    const reader = readerOf(lease);
    // Our own id on a lease we do not hold: it was given up here or assigned to us, and nobody else can have this id.
    if (reader === undefined || reader === workerId || lease.owner === undefined) return 0;
    if (this.#ownName.test(lease.owner) && lease.checkpointOwner === undefined) {
      return Math.min(failoverMs, 2 * renewIntervalMs(failoverMs) + adoptionSlackMs);
    }
    return failoverMs;
  }
}

/**
 * Whether a scan, which need not be consistent, shows a row as it was before: no sign of life, and nothing to be taken. A row that was
 * deleted and made anew in between looks the same, until the next write to it is refused.
 */
function isOlder(lease: Lease, known: Lease): boolean {
  return lease.counter < known.counter && lease.streamCreatedMs === known.streamCreatedMs;
}
