import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Checkpoint } from "../../src/checkpoint.ts";
import type { Lease } from "../../src/lease/lease.ts";
import { asCreated } from "../../src/lease/lease-maker.ts";
import { findHole, isPartition } from "../../src/shard/hash-coverage.ts";
import {
  atTrimHorizon,
  planFirstLeases,
  planForgottenChildren,
  planHeirs,
  planMissingLeases,
} from "../../src/shard/lease-plan.ts";
import { lastHashKey, type Shard, type ShardId, shardId } from "../../src/shard/shard.ts";

const stamp = { streamName: "orders", streamCreatedMs: undefined };
const latest = { position: { kind: "latest" }, startTimeMs: 7 } as const;
const trimHorizon = { position: { kind: "trim-horizon" }, startTimeMs: undefined } as const;
const atTimestamp = { position: { kind: "at-timestamp", epochMs: 1 }, startTimeMs: undefined } as const;

/** KCL's own example: 0,1 -> 6; 2,3 -> 7; 6,7 -> 8; 4; 5 -> 9,10. @see docs/lease-lifecycle.md in KCL */
const example = [
  shard(0),
  shard(1),
  shard(2),
  shard(3),
  shard(4, { open: true }),
  shard(5),
  shard(6, { parents: [0, 1] }),
  shard(7, { parents: [2, 3] }),
  shard(8, { parents: [6, 7], open: true }),
  shard(9, { parents: [5], open: true }),
  shard(10, { parents: [5], open: true }),
];

describe("planMissingLeases", () => {
  it.each([
    ["LATEST", latest, [6]],
    ["TRIM_HORIZON", trimHorizon, [0, 1]],
    ["AT_TIMESTAMP", atTimestamp, [0, 1]],
  ] as const)("creates what KCL's example says at %s", (_name, initial, expected) => {
    const plan = planMissingLeases(example, leasesOf([4, 5, 7]), initial);
    expect(plan.map((lease) => lease.shardId)).toEqual(expected.map(id));
    expect(plan.every((lease) => lease.checkpoint.kind === initial.position.kind)).toBe(true);
    expect(plan.every((lease) => lease.startTimeMs === initial.startTimeMs)).toBe(true);
  });

  it("starts with the open shards themselves at LATEST, when nothing is leased, and with the oldest otherwise", () => {
    expect(ids(planMissingLeases(example, new Map(), latest))).toEqual([4, 8, 9, 10].map(id));
    expect(ids(planMissingLeases(example, new Map(), trimHorizon))).toEqual([0, 1, 2, 3, 4, 5].map(id));
  });

  it("creates nothing when every open shard is leased or has a leased ancestor", () => {
    expect(planMissingLeases(example, leasesOf([0, 1, 2, 3, 4, 5]), trimHorizon)).toEqual([]);
    expect(planMissingLeases(example, leasesOf([4, 8, 9, 10]), latest)).toEqual([]);
  });

  it("does not believe a listing in which a shard and its child are both open", () => {
    const listing = [shard(0, { open: true }), shard(1, { parents: [0], open: true })];
    expect(() => planMissingLeases(listing, new Map(), latest)).toThrow(/both open/);
  });

  it("leaves no open shard without a lease on it or above it, whatever the stream has been through", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.nat()), { maxLength: 20 }),
        fc.array(fc.nat(), { maxLength: 10 }),
        fc.constantFrom(latest, trimHorizon, atTimestamp),
        (changes, leased, initial) => {
          const shards = grow(changes);
          const leases = leasesOf([...new Set(leased.map((pick) => pick % shards.length))]);
          const planned = planMissingLeases(shards, leases, initial);
          const all = new Set([...leases.keys(), ...ids(planned)]);
          expect(all.size).toBe(leases.size + planned.length);
          for (const one of shards) if (one.open) expect(isReached(one, shards, all)).toBe(true);
          const after = new Map([
            ...leases,
            ...planned.map((lease) => [lease.shardId, asCreated(lease, stamp)] as const),
          ]);
          expect(planMissingLeases(shards, after, initial)).toEqual([]);
        },
      ),
    );
  });
});

describe("planFirstLeases", () => {
  it("leases what is listed, in the order of the sequence numbers", () => {
    const half = lastHashKey / 2n;
    const listing = [
      shard(3, { range: { start: half + 1n, end: lastHashKey }, startingSequenceNumber: 9n, open: true }),
      shard(1, { range: { start: 0n, end: half }, startingSequenceNumber: 10n, open: true }),
    ];
    expect(ids(planFirstLeases(listing, latest))).toEqual([3, 1].map(id));
    expect(planFirstLeases(listing, latest)[0]).toMatchObject({
      checkpoint: { kind: "latest" },
      startTimeMs: 7,
    });
  });

  it.each([
    ["a gap", { start: lastHashKey / 2n + 2n, end: lastHashKey }],
    ["an overlap", { start: lastHashKey / 2n, end: lastHashKey }],
    ["a missing end", { start: lastHashKey / 2n + 1n, end: lastHashKey - 1n }],
  ])("does not believe a listing with %s", (_what, range) => {
    const listing = [shard(0, { range: { start: 0n, end: lastHashKey / 2n } }), shard(1, { range })];
    expect(() => planFirstLeases(listing, trimHorizon)).toThrow(/do not cover the hash keys once/);
    expect(isPartition(listing.map((one) => one.hashKeyRange))).toBe(false);
  });
});

describe("planFirstLeases of a listing that an emulator did not filter", () => {
  it("chooses the open shards at LATEST and the oldest otherwise, whatever the stream has been through", () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat()), { maxLength: 20 }), (changes) => {
        const shards = grow(changes);
        const open = shards.filter((one) => one.open);
        const oldest = shards.filter((one) => one.parentShardIds.length === 0);
        expect(new Set(ids(planFirstLeases(shards, latest)))).toEqual(
          new Set(open.map((one) => one.shardId)),
        );
        for (const initial of [trimHorizon, atTimestamp]) {
          expect(new Set(ids(planFirstLeases(shards, initial)))).toEqual(
            new Set(oldest.map((one) => one.shardId)),
          );
        }
      }),
    ));
});

describe("planForgottenChildren", () => {
  it("finds the children of a finished shard that nobody leased, at TRIM_HORIZON", () => {
    const plan = planForgottenChildren(example, leasesOf([4, 5, 8], { 5: { kind: "shard-end" } }));
    expect(ids(plan)).toEqual([9, 10].map(id));
    expect(plan.every((lease) => lease.checkpoint.kind === "trim-horizon")).toBe(true);
  });

  it("leaves alone what a parent will create, what has a leased descendant, and what has no parent row", () => {
    expect(planForgottenChildren(example, leasesOf([4, 5, 8]))).toEqual([]);
    const finished = { 0: { kind: "shard-end" } } as const;
    expect(planForgottenChildren(example, leasesOf([0, 4, 5, 8], finished))).toEqual([]);
    expect(planForgottenChildren(example, leasesOf([4, 8]))).toEqual([]);
    const half = leasesOf([0, 1, 4, 5, 7], { 0: { kind: "shard-end" } });
    expect(planForgottenChildren(example, half)).toEqual([]);
  });
});

describe("planHeirs", () => {
  it("continues a forgotten shard with its listed children", () => {
    const [gone] = leasesOf([5]).values();
    if (gone === undefined) throw new Error("no lease");
    const listing = example.filter((one) => one.shardId !== id(5));
    expect(ids(planHeirs(gone, listing, leasesOf([4, 5, 8])))).toEqual([9, 10].map(id));
  });

  it("continues it with its grandchildren when the children are forgotten too", () => {
    const [gone] = leasesOf([0]).values();
    if (gone === undefined) throw new Error("no lease");
    const listing = example.filter(
      (one) => one.shardId !== id(0) && one.shardId !== id(6) && one.shardId !== id(7),
    );
    expect(ids(planHeirs(gone, listing, leasesOf([0, 4, 5])))).toEqual([8].map(id));
    expect(planHeirs(gone, listing, leasesOf([0, 4, 5, 8]))).toEqual([]);
  });
});

describe("findHole", () => {
  it("finds none in any set of ranges that covers everything, however they overlap", () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt({ min: 1n, max: lastHashKey }), { maxLength: 10 }),
        fc.nat(),
        (cuts, pick) => {
          const starts = [0n, ...new Set(cuts)].sort((a, b) => (a < b ? -1 : 1));
          const ranges = starts.map((start, index) => ({
            start,
            end: (starts[index + 1] ?? lastHashKey + 1n) - 1n,
          }));
          expect(isPartition(ranges.toReversed())).toBe(true);
          expect(findHole([...ranges, { start: 0n, end: lastHashKey }].reverse())).toBeUndefined();
          const lost = ranges[pick % ranges.length];
          expect(findHole(ranges.filter((range) => range !== lost))).toEqual(lost);
        },
      ),
    );
  });
});

function shard(
  number: number,
  change: {
    readonly parents?: readonly number[];
    readonly open?: boolean;
    readonly range?: Shard["hashKeyRange"];
    readonly startingSequenceNumber?: bigint;
  } = {},
): Shard {
  return {
    shardId: id(number),
    parentShardIds: (change.parents ?? []).map(id),
    hashKeyRange: change.range ?? { start: 0n, end: lastHashKey },
    startingSequenceNumber: change.startingSequenceNumber ?? BigInt(number),
    open: change.open ?? false,
  };
}

function id(number: number): ShardId {
  return shardId(`shardId-${String(number).padStart(12, "0")}`);
}

function ids(leases: readonly { readonly shardId: ShardId }[]): readonly ShardId[] {
  return leases.map((lease) => lease.shardId);
}

function leasesOf(
  numbers: readonly number[],
  checkpoints: Readonly<Record<number, Checkpoint>> = {},
): ReadonlyMap<ShardId, Lease> {
  return new Map(
    numbers.map((number) => {
      const of = example[number] ?? shard(number);
      const checkpoint = checkpoints[number] ?? ({ kind: "trim-horizon" } as const);
      return [of.shardId, { ...asCreated(atTrimHorizon(of), stamp), checkpoint }] as const;
    }),
  );
}

/** A stream of two shards after these splits and merges of its open ones. */
function grow(changes: readonly (readonly [boolean, number])[]): readonly Shard[] {
  const middle = lastHashKey / 2n;
  let shards: Shard[] = [
    shard(0, { open: true, range: { start: 0n, end: middle } }),
    shard(1, { open: true, range: { start: middle + 1n, end: lastHashKey } }),
  ];
  for (const [merge, pick] of changes) {
    const open = shards.filter((one) => one.open).sort(byRange);
    const first = pick % open.length;
    const parents = open.slice(first, first + (merge ? 2 : 1));
    if (merge && parents.length < 2) continue;
    shards = shards.map((each) => (parents.includes(each) ? { ...each, open: false } : each));
    const numbers = parents.map((parent) => Number(parent.shardId.slice(8)));
    for (const range of rangesOfChildren(parents)) {
      shards.push(shard(shards.length, { parents: numbers, open: true, range }));
    }
  }
  return shards;
}

function byRange(a: Shard, b: Shard): number {
  return a.hashKeyRange.start < b.hashKeyRange.start ? -1 : 1;
}

/** One for two parents, two for one. */
function rangesOfChildren(parents: readonly Shard[]): readonly Shard["hashKeyRange"][] {
  const start = parents[0]?.hashKeyRange.start ?? 0n;
  const end = parents.at(-1)?.hashKeyRange.end ?? lastHashKey;
  const middle = (start + end) / 2n;
  return parents.length === 2
    ? [{ start, end }]
    : [
        { start, end: middle },
        { start: middle + 1n, end },
      ];
}

function isReached(one: Shard, shards: readonly Shard[], leased: ReadonlySet<ShardId>): boolean {
  if (leased.has(one.shardId)) return true;
  // A merge is read after both parents: each of them must be reached.
  const parents = shards.filter((parent) => one.parentShardIds.includes(parent.shardId));
  return parents.length > 0 && parents.every((parent) => isReached(parent, shards, leased));
}
