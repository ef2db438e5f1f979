import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { AwsUnavailableError } from "../../src/errors.ts";
import { HeldLease } from "../../src/lease/held-lease.ts";
import type { Lease } from "../../src/lease/lease.ts";
import { asCreated } from "../../src/lease/lease-maker.ts";
import type { LeaseChange, WriteOutcome } from "../../src/lease/lease-table.ts";
import type { Numbering } from "../../src/lease/numbering.ts";
import { shardId } from "../../src/shard/shard.ts";
import { heldOptions } from "../support/held-options.ts";
import { after, newLease } from "../support/lease-writes.ts";
import { MemoryLeaseTable } from "../support/memory-lease-table.ts";

const signal = new AbortController().signal;
const id = shardId("shardId-000000000000");
const mine: Lease = {
  ...asCreated(newLease(id, { checkpoint: after(5n, 1) }), {
    streamName: "orders",
    streamCreatedMs: undefined,
  }),
  owner: "me",
  counter: 8,
};

/** What may have become of the row, and how that is told. */
const causes: readonly (readonly [what: string, row: Partial<Lease> | undefined, told: string])[] = [
  ["another worker took it", { owner: "java", counter: 9 }, "java owns it"],
  [
    "another worker took it and went on",
    { owner: "java", counter: 20, checkpoint: after(9n) },
    "java owns it",
  ],
  ["another worker took it and gave it up", { owner: undefined, counter: 10 }, "it was evicted"],
  ["its row was deleted", undefined, "its row is gone"],
  [
    "it was created anew, and another worker's counter came to be the same",
    { owner: "java", checkpoint: { kind: "trim-horizon" } },
    "java owns it",
  ],
  ["it was created anew, and nobody took it", { owner: undefined, counter: 0 }, "it was evicted"],
  ["it renewed twice under our name", { counter: 10 }, "a possible duplicate of this worker's id wrote it"],
  [
    "its checkpoint was moved under our name",
    { counter: 9, checkpoint: after(7n) },
    "a possible duplicate of this worker's id wrote it",
  ],
  [
    "its checkpoint was moved within an aggregate under our name",
    { counter: 9, checkpoint: after(6n, 4) },
    "a possible duplicate of this worker's id wrote it",
  ],
  [
    "another epoch was begun under our name",
    { counter: 9, numbering: epoch("theirs") },
    "a possible duplicate of this worker's id wrote it",
  ],
  [
    "another worker hands it to us, after it was taken from us",
    { counter: 9, checkpointOwner: "java" },
    "java hands it to me",
  ],
  [
    "another worker hands it to a third",
    { owner: "third", counter: 8, checkpointOwner: "java" },
    "java hands it to third",
  ],
  [
    "we are asked to hand over what was renewed under our name since",
    { owner: "java", counter: 10, checkpointOwner: "me" },
    "a possible duplicate of this worker's id wrote it",
  ],
];

const changes: readonly (readonly [what: string, change: LeaseChange])[] = [
  ["a renewal", {}],
  ["a checkpoint", { checkpoint: after(6n, 2) }],
  ["a release", { release: true }],
  ["a last checkpoint with its release", { checkpoint: after(6n, 2), release: true }],
  ["the beginning of an epoch", { numbering: epoch("ours") }],
  ["a numbered checkpoint", { checkpoint: after(6n, 2), numbering: epoch("ours") }],
];

function epoch(name: string): Numbering {
  return {
    epoch: name,
    version: "whole",
    belongsTo: { sequenceNumber: "6", subSequenceNumber: 2 },
    base: { kind: "ordinal", ordinal: 3 },
  };
}

/** A store whose answers go by what a test says. */
class Store extends MemoryLeaseTable {
  /** Called before the write is done; what it returns is the answer instead, and the write is not done. */
  instead: () => WriteOutcome | undefined = () => undefined;
  /** Called after the write was done. */
  answer: (done: WriteOutcome) => WriteOutcome = (done) => done;
  writes = 0;

  override async write(lease: Lease, change: LeaseChange): Promise<WriteOutcome> {
    this.writes += 1;
    const instead = this.instead();
    if (instead !== undefined) return instead;
    return this.answer(await super.write(lease, change));
  }
}

function holding(lease: Lease = mine) {
  const table = new Store();
  table.rows.set(id, lease);
  const held = new HeldLease(table, lease, heldOptions(new TestClock()));
  const become = (row: Partial<Lease> | undefined) => {
    if (row === undefined) table.rows.delete(id);
    else table.rows.set(id, { ...lease, ...row });
  };
  return { table, held, become, row: () => table.rows.get(id) };
}

const noAnswer: WriteOutcome = {
  kind: "failed",
  error: new AwsUnavailableError("no answer"),
  mayHaveLanded: true,
};

describe.each(causes)("a lease whose owner did not notice that %s", (_what, becomes, told) => {
  it.each(changes)("is lost at %s, which changes nothing", async (_change, change) => {
    const { held, become, row, table } = holding();
    become(becomes);
    const before = row();
    expect(await held.write(() => change, signal)).toEqual({ kind: "lost" });
    expect(held.lost).toBe(true);
    expect(held.signal.reason).toMatchObject({
      code: "PIO_LEASE_LOST",
      message: `lease of ${id} lost: ${told}`,
    });
    expect(await held.write(() => ({ checkpoint: after(99n) }), signal)).toEqual({ kind: "lost" });
    expect(row()).toEqual(before);
    expect(table.writes).toBe(1);
  });

  it.each(changes)("is lost at %s also when the client tried it twice", async (_change, change) => {
    const { held, become, row, table } = holding();
    become(becomes);
    const before = row();
    table.answer = (done) => (done.kind === "refused" ? { ...done, retried: true } : done);
    expect(await held.write(() => change, signal)).toEqual({ kind: "lost" });
    expect(row()).toEqual(before);
  });

  it.each(changes)(
    "is lost also when the answer to %s before got lost, which was not done",
    async (_change, change) => {
      const { held, become, row, table } = holding();
      table.instead = () => noAnswer;
      expect((await held.write(() => change, signal)).kind).toBe("failed");
      table.instead = () => undefined;
      become(becomes);
      const before = row();
      expect(await held.write(() => ({ checkpoint: after(8n) }), signal)).toEqual({ kind: "lost" });
      expect(held.lost).toBe(true);
      expect(row()).toEqual(before);
    },
  );
});

describe("a write that was done and whose answer got lost", () => {
  const asked: Lease = { ...mine, owner: "java", checkpointOwner: "me" };
  const leases = [
    ["a lease", mine],
    ["a lease that is to be handed over", asked],
  ] as const;

  it.each(leases)(
    "is known again by the refusal of the client's second try, whatever it did to %s",
    async (_what, lease) => {
      for (const [, change] of changes) {
        const { held, row, table } = holding(lease);
        table.answer = (done) => {
          if (done.kind !== "written") return done;
          return { kind: "refused", current: done.lease, retried: true };
        };
        expect(await held.write(() => change, signal)).toEqual({ kind: "written" });
        expect(held.lost).toBe(false);
        expect(held.signal.aborted).toBe(change.release === true);
        expect(row()?.counter).toBe(9);
        expect(table.writes).toBe(1);
      }
    },
  );

  it.each(leases)(
    "is known again by the next write, which is then done, whatever it did to %s",
    async (_what, lease) => {
      for (const [, change] of changes) {
        const { held, row, table } = holding(lease);
        table.answer = () => noAnswer;
        expect((await held.write(() => change, signal)).kind).toBe("failed");
        table.answer = (done) => done;
        const next = await held.write(() => ({ checkpoint: after(8n) }), signal);
        expect(held.lost).toBe(false);
        expect(next).toEqual({ kind: "written" });
        const released = change.release === true;
        expect(held.signal.aborted).toBe(released);
        expect(row()?.counter).toBe(released ? 9 : 10);
        expect(row()?.checkpoint).toEqual(released ? (change.checkpoint ?? mine.checkpoint) : after(8n));
      }
    },
  );

  it("is known again among several of which none was answered", async () => {
    const { held, row, table } = holding();
    const sent = [after(6n), after(7n), after(8n)];
    for (const checkpoint of sent) {
      // The second of them is done, and the client's later ones are refused without our hearing of it.
      if (checkpoint !== sent[1]) table.instead = () => noAnswer;
      else table.instead = () => undefined;
      table.answer = () => noAnswer;
      expect((await held.write(() => ({ checkpoint }), signal)).kind).toBe("failed");
    }
    expect(row()?.checkpoint).toEqual(sent[1]);
    table.instead = () => undefined;
    table.answer = (done) => done;
    expect(await held.write(() => ({ checkpoint: after(9n) }), signal)).toEqual({ kind: "written" });
    expect(row()).toMatchObject({ counter: 10, checkpoint: after(9n) });
  });

  it("is known again after a request for the lease was withdrawn, and the lease goes to nobody", async () => {
    const { held, row, become } = holding(asked);
    become({ owner: "me", checkpointOwner: undefined });
    expect(await held.write(() => ({ checkpoint: after(7n) }), signal)).toEqual({ kind: "written" });
    expect(row()).toEqual({ ...mine, counter: 9, checkpoint: after(7n) });
    expect(await held.write(() => ({ release: true }), signal)).toEqual({ kind: "written" });
    expect(row()).toMatchObject({ owner: undefined, counter: 10 });
    expect(held.lost).toBe(false);
  });

  it("takes no numbers along with a checkpoint that is stored already", async () => {
    const { held, row } = holding();
    const change = { checkpoint: after(6n, 2), numbering: epoch("ours") };
    expect(await held.write(() => change, signal)).toEqual({ kind: "written" });
    const old = { checkpoint: after(5n, 1), numbering: epoch("old") };
    expect(await held.write(() => old, signal)).toEqual({ kind: "written" });
    expect(row()).toEqual({ ...mine, ...change, counter: 10 });
  });

  it("is followed by a hand-off that began before anyone noticed", async () => {
    const { held, row, table, become } = holding();
    table.answer = () => noAnswer;
    await held.write(() => ({ checkpoint: after(6n) }), signal);
    table.answer = (done) => done;
    become({ ...row(), owner: "java", checkpointOwner: "me" });
    expect(await held.write(() => ({ checkpoint: after(7n) }), signal)).toEqual({ kind: "written" });
    expect(held.handOff.aborted).toBe(true);
    expect(held.lost).toBe(false);
    expect(row()).toMatchObject({ owner: "java", checkpointOwner: "me", counter: 10, checkpoint: after(7n) });
  });
});
