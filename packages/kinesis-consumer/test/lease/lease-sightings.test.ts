import { describe, expect, it } from "vitest";
import type { Lease } from "../../src/lease/lease.ts";
import { asCreated } from "../../src/lease/lease-maker.ts";
import { LeaseSightings } from "../../src/lease/lease-sightings.ts";
import { newLease } from "../support/lease-table-contract.ts";
import { idOf } from "../support/rig.ts";

const theirs: Lease = {
  ...asCreated(newLease(idOf(0)), { streamName: "orders", streamCreatedMs: undefined }),
  owner: "other",
  consumerWorker: "other",
  counter: 7,
};
const askedFor: Lease = { ...theirs, owner: "me", checkpointOwner: "other" };

describe("LeaseSightings", () => {
  it("counts from the last renewal of the one who reads, whoever asks for the lease or takes that back", () => {
    const sightings = sightingsOf();
    sightings.scanned([theirs], 0);
    sightings.scanned([askedFor], 4_000);
    expect(takeableMs(sightings)).toBe(10_000);
    sightings.scanned([theirs], 8_000);
    expect(takeableMs(sightings)).toBe(10_000);
    sightings.scanned([{ ...askedFor, counter: 8 }], 9_000);
    expect(takeableMs(sightings)).toBe(19_000);
  });

  it("takes a renewal during a hand-off for a sign of life of the one who reads", () => {
    const sightings = sightingsOf();
    sightings.scanned([theirs], 0);
    sightings.scanned([{ ...askedFor, counter: 8 }], 3_000);
    expect(sightings.leases[0]?.renewedMs).toBe(3_000);
  });
});

function takeableMs(sightings: LeaseSightings): number | undefined {
  return sightings.takeable(() => false)[0]?.fromMs;
}

function sightingsOf(): LeaseSightings {
  const restraint = { maySteal: true, takeableFromMs: ({ fromMs }: { readonly fromMs: number }) => fromMs };
  return new LeaseSightings({ workerId: "me", instanceId: "me", failoverMs: 10_000, restraint });
}
