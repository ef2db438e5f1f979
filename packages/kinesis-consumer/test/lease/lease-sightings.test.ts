import { describe, expect, it } from "vitest";
import type { Lease } from "../../src/lease/lease.ts";
import { asCreated } from "../../src/lease/lease-maker.ts";
import { LeaseSightings } from "../../src/lease/lease-sightings.ts";
import { newLease } from "../support/lease-writes.ts";
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

  it("takes a row that a scan shows as it was before for no sign of life, and goes by what it knows", () => {
    const sightings = sightingsOf();
    sightings.scanned([theirs], 0);
    const renewed = { ...theirs, counter: 8 };
    sightings.scanned([renewed], 2_500);
    sightings.scanned([theirs], 5_000);
    expect(sightings.leases[0]).toMatchObject({ lease: renewed, renewedMs: 2_500 });
    sightings.scanned([renewed], 7_500);
    expect(takeableMs(sightings)).toBe(12_500);
  });

  it("believes an older row in the answer to a write, and in the table of a stream created anew", () => {
    const sightings = sightingsOf();
    sightings.scanned([theirs], 0);
    const anew = { ...theirs, counter: 1 };
    sightings.saw(anew, 1_000);
    expect(sightings.leases[0]?.lease).toEqual(anew);
    const ofNewStream = { ...anew, counter: 0, streamCreatedMs: 5 };
    sightings.scanned([ofNewStream], 2_000);
    expect(sightings.leases[0]?.lease).toEqual(ofNewStream);
  });

  it("takes a renewal during a hand-off for a sign of life of the one who reads", () => {
    const sightings = sightingsOf();
    sightings.scanned([theirs], 0);
    sightings.scanned([{ ...askedFor, counter: 8 }], 3_000);
    expect(sightings.leases[0]?.renewedMs).toBe(3_000);
  });
});

describe("a lease that has expired", () => {
  it("is left alone for up to half a second more, drawn anew for what is seen to change in each scan", () => {
    const draws = [0, 0.5, 0.999];
    const sightings = sightingsOf(() => draws.shift() ?? 0);
    sightings.scanned([theirs], 0);
    expect(takeableMs(sightings)).toBe(10_000);
    const renewed = { ...theirs, counter: 8 };
    sightings.scanned([renewed], 2_500);
    expect(takeableMs(sightings)).toBe(12_750);
    sightings.scanned([renewed], 5_000);
    expect(takeableMs(sightings)).toBe(12_750);
  });

  it("is not, when it is nobody's or a predecessor's", () => {
    const sightings = sightingsOf(() => 0.999);
    sightings.scanned([{ ...theirs, owner: undefined }], 0);
    expect(takeableMs(sightings)).toBe(0);
    sightings.scanned([{ ...theirs, owner: "me-0123abcd" }], 0);
    expect(takeableMs(sightings)).toBe(7_116);
  });
});

function takeableMs(sightings: LeaseSightings): number | undefined {
  return sightings.takeable(() => false)[0]?.fromMs;
}

function sightingsOf(random = () => 0): LeaseSightings {
  const restraint = { maySteal: true, takeableFromMs: ({ fromMs }: { readonly fromMs: number }) => fromMs };
  return new LeaseSightings({ workerId: "me", instanceId: "me", failoverMs: 10_000, restraint, random });
}
