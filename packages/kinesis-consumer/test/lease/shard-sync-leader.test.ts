import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JavaRandom } from "../../src/lease/java-random.ts";
import type { Lease } from "../../src/lease/lease.ts";
import { asCreated } from "../../src/lease/lease-maker.ts";
import { shardSyncLeader, shuffledWorkers } from "../../src/lease/shard-sync-leader.ts";
import { lastHashKey } from "../../src/shard/shard.ts";
import { idOf } from "../support/rig.ts";

const workerId = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.nat({ max: 40 }).map(String),
  fc.stringMatching(/^\d{1,2}-[0-9a-f]{8}$/),
);

describe("JavaRandom", () => {
  it("draws what java.util.Random draws", () => {
    const random = new JavaRandom(42);
    expect(Array.from({ length: 5 }, () => random.nextInt(100))).toEqual([30, 63, 48, 84, 70]);
  });

  it("draws it for powers of two, for the largest bounds, and for a negative seed", () => {
    const random = new JavaRandom(-5);
    const bounds = [2 ** 30, 2 ** 30 + 1, 2 ** 31 - 1, 7, 64, 1];
    expect(bounds.map((bound) => random.nextInt(bound))).toEqual([289159705, 780466721, 717457953, 6, 24, 0]);
  });

  it("rejects the draws that it rejects: every other one for this bound", () => {
    const random = new JavaRandom(1947);
    const drawn = Array.from({ length: 8 }, () => random.nextInt(2 ** 30 + 1));
    expect(drawn).toEqual([
      719977525, 63954995, 552873169, 1046619502, 1033571118, 995805700, 980392342, 667615324,
    ]);
  });

  it("stays below its bound, whatever that is", () => {
    const bound = fc.oneof(
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      fc.nat({ max: 30 }).map((power) => 2 ** power),
    );
    const property = fc.property(fc.integer(), bound, (seed, below) => {
      const random = new JavaRandom(seed);
      for (let draw = 0; draw < 20; draw += 1) {
        const value = random.nextInt(below);
        expect(Number.isInteger(value) && value >= 0 && value < below).toBe(true);
      }
    });
    fc.assert(property);
  });
});

describe("shuffledWorkers", () => {
  it.each([
    [2, "0 1"],
    [3, "2 0 1"],
    [4, "3 0 1 2"],
    [5, "4 0 2 1 3"],
    [8, "2 3 0 6 4 7 1 5"],
    [10, "8 5 1 6 9 4 2 0 7 3"],
  ])("puts %d workers in KCL's order", (count, order) => {
    expect(shuffledWorkers(Array.from({ length: count }, (_, index) => `${index}`)).join(" ")).toBe(order);
  });

  it("mixes the names of Java's workers with others as KCL does", () => {
    expect(shuffledWorkers(["node-b", "1", "node-a", "0"])).toEqual(["node-b", "0", "1", "node-a"]);
  });

  it("sorts names as Java does, by their units of UTF-16", () => {
    const names = Array.from({ length: 37 }, (_, index) => {
      const hash = (BigInt(index) * 2654435761n) & 0xffffffffn;
      return `${index}-${hash.toString(16).padStart(8, "0")}`;
    });
    const order = shuffledWorkers([...names, "ключ", "😀", "\uFFFD"]);
    const first = "25-736ae249 17-81af14c1 33-6526afd1 28-4e114f5c 6-b54cda26 5-17156075";
    expect(order.slice(0, 6).join(" ")).toBe(first);
  });

  it("keeps every worker, once, and asks nobody in which order they came", () => {
    const property = fc.property(fc.uniqueArray(workerId), fc.infiniteStream(fc.nat()), (names, keys) => {
      const order = shuffledWorkers(names);
      expect([...order].sort()).toEqual([...names].sort());
      const others = names.map((name) => ({ name, key: keys.next().value ?? 0 }));
      others.sort((a, b) => a.key - b.key);
      expect(shuffledWorkers(others.map(({ name }) => name))).toEqual(order);
    });
    fc.assert(property);
  });
});

describe("shardSyncLeader", () => {
  it("is one of the owners, the same for every worker that sees the same owners", () => {
    const owned = fc.array(fc.option(workerId, { nil: undefined }), { minLength: 1, maxLength: 50 });
    const property = fc.property(owned, (owners) => {
      const leader = shardSyncLeader(owners.map(leaseOf));
      const names = new Set(owners.filter((owner) => owner !== undefined));
      expect(leader === undefined).toBe(names.size === 0);
      if (leader !== undefined) expect(names).toContain(leader);
      expect(shardSyncLeader(owners.toReversed().map(leaseOf))).toBe(leader);
    });
    fc.assert(property);
  });

  it("is nobody in particular while no lease has an owner", () => {
    expect(shardSyncLeader([])).toBeUndefined();
    expect(shardSyncLeader([leaseOf(undefined, 0)])).toBeUndefined();
  });
});

function leaseOf(owner: string | undefined, index: number): Lease {
  const stamp = { streamName: "orders", streamCreatedMs: undefined };
  const row = asCreated(
    {
      shardId: idOf(index),
      checkpoint: { kind: "trim-horizon" },
      parentShardIds: [],
      hashKeyRange: { start: 0n, end: lastHashKey },
      startTimeMs: undefined,
    },
    stamp,
  );
  return { ...row, owner };
}
