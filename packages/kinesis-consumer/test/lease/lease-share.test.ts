import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Lease } from "../../src/lease/lease.ts";
import {
  chosenWorker,
  leasesNeeded,
  leasesToSteal,
  loadsOf,
  type SeenLease,
  type ShareView,
} from "../../src/lease/lease-share.ts";
import { idOf } from "../support/rig.ts";

const nobody = (): boolean => false;

describe("leasesToSteal", () => {
  it("evens out any distribution, give or take one, and then leaves it alone", () => {
    const loads = fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(loads, (counts) => {
        const owners = counts.flatMap((count, worker) => Array<string>(count).fill(`w${worker}`));
        // A worker without a lease is not seen by the others, but sees them.
        for (let round = 0; round < 20; round += 1) {
          for (const worker of counts.keys()) steal(owners, `w${worker}`);
        }
        const ended = counts.map((_, worker) => owners.filter((owner) => owner === `w${worker}`).length);
        expect(Math.max(...ended) - Math.min(...ended)).toBeLessThanOrEqual(1);
        expect(counts.flatMap((_, worker) => stealable(owners, `w${worker}`))).toEqual([]);
      }),
    );
  });

  it("takes from the worker that has most, and of a Java worker what was checkpointed last", () => {
    const leases = [...many(5, "java"), ...many(2, "other", 5)];
    const stored = leases.map((seen, index) => ({ ...seen, checkpointedMs: index === 3 ? 900 : 100 }));
    expect(leasesToSteal(view("me", stored), nobody)[0]?.lease.shardId).toBe(idOf(3));
    expect(leasesToSteal(view("me", stored), nobody).every(({ lease }) => lease.owner === "java")).toBe(true);
  });

  it.each([
    ["a worker that was not seen to renew", { renewedMs: undefined }, nobody],
    ["a worker that has not renewed for the failover time", { renewedMs: -9_001 }, nobody],
    ["what was taken from us a moment ago", {}, (): boolean => true],
  ])("takes nothing from %s", (_what, seen, barred) => {
    const leases = many(6, "other").map((one) => ({ ...one, ...seen }));
    expect(leasesToSteal(view("me", leases), barred)).toEqual([]);
  });

  it.each([
    ["finished", { checkpoint: { kind: "shard-end" } }],
    ["being handed over", { checkpointOwner: "third" }],
  ] as const)("takes no lease that is %s", (_what, change) => {
    const leases = many(6, "other").map((one) => ({ ...one, lease: { ...one.lease, ...change } }));
    expect(leasesToSteal(view("me", leases), nobody)).toEqual([]);
  });
});

describe("leasesNeeded", () => {
  it("counts finished leases and living workers, as KCL does, and not those that have expired", () => {
    const finished = many(2, "other", 4).map((one) => ({
      ...one,
      lease: { ...one.lease, checkpoint: { kind: "shard-end" } as const },
    }));
    const expired = many(3, "dead", 6).map((one) => ({ ...one, expiresMs: 1_000 }));
    const seen = view("me", [...many(4, "other"), ...finished, ...expired]);
    expect(loadsOf(seen)).toEqual(
      new Map([
        ["me", 0],
        ["other", 6],
      ]),
    );
    expect(leasesNeeded(seen, loadsOf(seen))).toBe(5);
  });
});

describe("chosenWorker", () => {
  it("gives each worker a share, and moves only what a worker had that is gone", () => {
    const ids = Array.from({ length: 300 }, (_, index) => idOf(index));
    const before = ids.map((id) => chosenWorker(id, ["a", "b", "c"]));
    const after = ids.map((id) => chosenWorker(id, ["c", "a"]));
    for (const worker of ["a", "b", "c"]) {
      expect(before.filter((one) => one === worker).length).toBeGreaterThan(60);
    }
    expect(before.every((worker, index) => worker === "b" || worker === after[index])).toBe(true);
  });
});

function stealable(owners: readonly string[], worker: string): readonly SeenLease[] {
  const leases = owners.map((owner, index) => seenLease(index, owner));
  return leasesToSteal(view(worker, leases), nobody);
}

function steal(owners: string[], worker: string): void {
  for (const { lease } of stealable(owners, worker)) owners[Number(lease.shardId.slice(-12))] = worker;
}

function view(workerId: string, leases: readonly SeenLease[]): ShareView {
  return { workerId, leases, isHeld: nobody, nowMs: 1_000, failoverMs: 10_000 };
}

function many(count: number, owner: string, from = 0): readonly SeenLease[] {
  return Array.from({ length: count }, (_, index) => seenLease(from + index, owner));
}

function seenLease(index: number, owner: string): SeenLease {
  const lease: Lease = {
    shardId: idOf(index),
    owner,
    counter: 1,
    checkpoint: { kind: "trim-horizon" },
    parentShardIds: [],
    childShardIds: [],
    hashKeyRange: undefined,
    checkpointOwner: undefined,
    numbering: undefined,
    startTimeMs: undefined,
    consumerWorker: undefined,
    ownedSinceMs: undefined,
    streamName: undefined,
    streamCreatedMs: undefined,
  };
  return { lease, sinceMs: 1_000, expiresMs: 11_000, renewedMs: 1_000, checkpointedMs: undefined };
}
