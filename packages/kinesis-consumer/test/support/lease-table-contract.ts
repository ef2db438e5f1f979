import { describe, expect, it } from "vitest";
import type { Checkpoint } from "../../src/checkpoint.ts";
import type { Lease, NewLease } from "../../src/lease/lease.ts";
import type { LeaseTable, WriteOutcome } from "../../src/lease/lease-table.ts";
import type { Numbering } from "../../src/lease/numbering.ts";
import { lastHashKey, type ShardId, shardId } from "../../src/shard/shard.ts";

const signal = new AbortController().signal;
const stamp = { streamName: "orders", streamCreatedMs: 1_700_000_000_000 };
const sinceMs = 1_760_000_000_000;
const one = shardId("shardId-000000000001");

/** What every lease table does, whatever it is made of. @param make a table of its own that does not exist yet. */
export function leaseTableContract(make: () => Promise<LeaseTable>): void {
  const made = async () => {
    const table = await make();
    await table.ensure(signal);
    return table;
  };
  const taken = async (change: Partial<NewLease> = {}, worker = "me") => {
    const table = await made();
    await table.create([newLease(one, change)], stamp, signal);
    const lease = await takeNow(table, one, worker);
    return { table, lease };
  };

  describe("the table", () => {
    it("is ready once it was ensured, also twice", async () => {
      const table = await made();
      await table.ensure(signal);
      expect(await table.ready(signal)).toBe(true);
      expect(await table.list({ consistent: true }, signal)).toEqual([]);
    });

    it("creates a lease with everything it was given and nobody as its owner", async () => {
      const table = await made();
      const parents = [shardId("shardId-000000000000"), shardId("shardId-000000000009")];
      const lease = newLease(one, {
        checkpoint: { kind: "latest" },
        startTimeMs: 5,
        parentShardIds: parents,
      });
      expect(await table.create([lease], stamp, signal)).toEqual([one]);
      const row = await table.get(one, signal);
      expect(sorted(row)).toEqual({
        ...sorted({ ...lease, ...stamp, counter: 0, childShardIds: [] }),
        owner: undefined,
        checkpointOwner: undefined,
      });
    });

    it("creates only what is missing, and says what that was", async () => {
      const table = await made();
      const leases = ids(120).map((id) => newLease(id));
      expect(await table.create(leases.slice(50, 52), stamp, signal)).toHaveLength(2);
      const created = await table.create(leases, stamp, signal);
      expect(created).toHaveLength(118);
      expect(created).not.toContain(leases[50]?.shardId);
      expect(await table.list({ consistent: true }, signal)).toHaveLength(120);
    });

    it("makes an unchanged row anew, its counter moved on and nothing else of it left", async () => {
      const { table, lease } = await taken({ checkpoint: { kind: "latest" }, startTimeMs: 5 });
      await table.setChildren(one, [shardId("shardId-000000000002")], signal);
      const to = newLease(one);
      expect(await table.replace(lease, to, stamp, signal)).toBe(true);
      expect(sorted(await table.get(one, signal))).toEqual({
        ...sorted({ ...to, ...stamp, counter: lease.counter + 1, childShardIds: [] }),
        owner: undefined,
        checkpointOwner: undefined,
      });
      expect(await table.replace(lease, to, stamp, signal)).toBe(false);
      expect((await table.write(lease, {}, signal)).kind).toBe("refused");
    });

    it("replaces and deletes no row that changed or is gone", async () => {
      const { table, lease } = await taken();
      const seen = { ...lease, counter: lease.counter - 1 };
      expect(await table.replace(seen, newLease(one), stamp, signal)).toBe(false);
      expect(await table.deleteUnchanged(seen, signal)).toBe(false);
      expect(await table.get(one, signal)).toEqual(lease);
      expect(await table.deleteUnchanged(lease, signal)).toBe(true);
      expect(await table.get(one, signal)).toBeUndefined();
      expect(await table.deleteUnchanged(lease, signal)).toBe(true);
      expect(await table.replace(lease, newLease(one), stamp, signal)).toBe(false);
    });

    it("replaces and deletes no row that was made anew for another stream of the name, whatever its counter", async () => {
      const table = await made();
      await table.create([newLease(one)], stamp, signal);
      const [seen] = await table.list({ consistent: true }, signal);
      if (seen === undefined) throw new Error("no lease");
      const later = { ...stamp, streamCreatedMs: (stamp.streamCreatedMs ?? 0) + 60_000 };
      expect(await table.deleteUnchanged(seen, signal)).toBe(true);
      await table.create([newLease(one)], later, signal);
      expect(await table.replace(seen, newLease(one), stamp, signal)).toBe(false);
      expect(await table.deleteUnchanged(seen, signal)).toBe(false);
      const byJava = { ...seen, streamCreatedMs: undefined };
      expect(await table.replace(byJava, newLease(one), stamp, signal)).toBe(false);
      expect(await table.deleteUnchanged(byJava, signal)).toBe(false);
      expect(await table.get(one, signal)).toMatchObject({
        counter: 0,
        streamCreatedMs: later.streamCreatedMs,
      });
    });

    it("never replaces a lease that exists", async () => {
      const { table, lease } = await taken();
      expect(await table.create([newLease(one)], stamp, signal)).toEqual([]);
      expect((await table.get(one, signal))?.counter).toBe(lease.counter);
    });

    it("tells when there is no such lease", async () => {
      const table = await made();
      expect(await table.get(one, signal)).toBeUndefined();
      expect(await table.setChildren(one, [one], signal)).toBe(false);
      expect(await table.setHashKeyRange(one, { start: 0n, end: 1n }, signal)).toBe(false);
      expect(await table.deleteFinished(one, "me", signal)).toBe(false);
      expect(await table.list({ consistent: true }, signal)).toEqual([]);
    });
  });

  describe("taking", () => {
    it("makes the worker the owner and returns the lease as it is then", async () => {
      const { table, lease } = await taken();
      expect(lease).toMatchObject({ owner: "me", counter: 1, streamName: "orders" });
      expect(await table.get(one, signal)).toEqual(lease);
    });

    it("notes since when the worker has it, which no write but another taking changes", async () => {
      const { table, lease } = await taken();
      expect(lease.ownedSinceMs).toBe(sinceMs);
      const renewed = expectWritten(await table.write(lease, { checkpoint: after(7n) }, signal));
      expect(renewed.ownedSinceMs).toBe(sinceMs);
      const later = { stamp, startTimeMs: undefined, sinceMs: sinceMs + 1 };
      const next = expectWritten(await table.take(renewed, "other", later, signal));
      expect(next).toMatchObject({ owner: "other", ownedSinceMs: sinceMs + 1 });
    });

    it("is refused, with the lease as it is, when it changed since it was seen", async () => {
      const { table, lease } = await taken();
      const stale = { ...lease, counter: 0, owner: undefined };
      const outcome = await table.take(stale, "other", { stamp, startTimeMs: undefined, sinceMs }, signal);
      expect(outcome).toEqual({ kind: "refused", current: lease, retried: false });
    });

    it("is refused when the lease is gone", async () => {
      const { table, lease } = await taken({ checkpoint: { kind: "shard-end" } });
      expect(await table.deleteFinished(one, "me", signal)).toBe(true);
      const outcome = await table.take(lease, "other", { stamp, startTimeMs: undefined, sinceMs }, signal);
      expect(outcome).toEqual({ kind: "refused", current: undefined, retried: false });
      expect(await table.list({ consistent: true }, signal)).toEqual([]);
    });

    it("sets the start time of a lease that has none, and keeps one that it has", async () => {
      const table = await made();
      const [a, b] = [shardId("a"), shardId("b")];
      await table.create([newLease(a), newLease(b, { startTimeMs: 1 })], stamp, signal);
      expect((await takeNow(table, a, "me", 7)).startTimeMs).toBe(7);
      expect((await takeNow(table, b, "me", 7)).startTimeMs).toBe(1);
    });
  });

  describe("an owner's write", () => {
    it("moves the counter and nothing else when it only renews", async () => {
      const { table, lease } = await taken({ checkpoint: { kind: "latest" }, startTimeMs: 3 });
      const renewed = expectWritten(await table.write(lease, {}, signal));
      expect(renewed).toEqual({ ...lease, counter: 2 });
      expect(await table.get(one, signal)).toEqual(renewed);
    });

    it("stores a checkpoint with more digits than a number holds, and forgets the start time", async () => {
      const { table, lease } = await taken({ checkpoint: { kind: "latest" }, startTimeMs: 3 });
      const checkpoint = after(49680456976411086312851181436727422727896385951558008834n, 7);
      const stored = expectWritten(await table.write(lease, { checkpoint }, signal));
      expect(stored).toEqual({ ...lease, counter: 2, checkpoint, startTimeMs: undefined });
      expect(await table.get(one, signal)).toEqual(stored);
    });

    it("stores a checkpoint and gives the lease up at once", async () => {
      const { table, lease } = await taken();
      const released = expectWritten(
        await table.write(lease, { checkpoint: after(5n), release: true }, signal),
      );
      expect(released).toEqual({ ...lease, owner: undefined, counter: 2, checkpoint: after(5n) });
      expect(await table.get(one, signal)).toEqual(released);
    });

    it("is refused when another worker took the lease, and changes nothing", async () => {
      const { table, lease } = await taken();
      const theirs = await takeNow(table, one, "other");
      const outcome = await table.write(lease, { checkpoint: after(5n) }, signal);
      expect(outcome).toEqual({ kind: "refused", current: theirs, retried: false });
      expect(await table.get(one, signal)).toEqual(theirs);
    });

    it("is refused when the counter is the same and the owner is not: the lease was created anew", async () => {
      const { table } = await taken({}, "other");
      const row = await table.get(one, signal);
      const mine = { ...(row as Lease), owner: "me" }; // it was just taken
      expect((await table.write(mine, {}, signal)).kind).toBe("refused");
    });

    it("is refused when it was done already, or is older than what its owner wrote since", async () => {
      const { table, lease } = await taken();
      const renewed = expectWritten(await table.write(lease, {}, signal));
      for (const change of [{}, { checkpoint: after(5n) }, { release: true }]) {
        const outcome = await table.write(lease, change, signal);
        expect(outcome).toEqual({ kind: "refused", current: renewed, retried: false });
      }
      expect(await table.get(one, signal)).toEqual(renewed);
    });

    it("is refused to the one who is to have the lease next, while another still reads", async () => {
      const { table, lease } = await taken();
      const asked = expectWritten(await table.requestHandOff(lease, "other", signal));
      for (const checkpointOwner of [undefined, "other", "third"]) {
        expect((await table.write({ ...asked, checkpointOwner }, {}, signal)).kind).toBe("refused");
      }
      expect((await table.write({ ...asked, counter: asked.counter - 1 }, {}, signal)).kind).toBe("refused");
      expect(await table.get(one, signal)).toEqual(asked);
    });

    it("is refused when the lease is gone, and does not bring it back", async () => {
      const { table, lease } = await taken({ checkpoint: { kind: "shard-end" } });
      await table.deleteFinished(one, "me", signal);
      const outcome = await table.write(lease, {}, signal);
      expect(outcome).toEqual({ kind: "refused", current: undefined, retried: false });
      expect(await table.list({ consistent: true }, signal)).toEqual([]);
    });
  });

  describe("the numbers of a shard's records", () => {
    const begun: Numbering = {
      epoch: "e-1",
      version: "whole",
      belongsTo: { sequenceNumber: "TRIM_HORIZON", subSequenceNumber: 0 },
      base: { kind: "anchor", sequenceNumber: "49680456976411086312851181436727422727896385951558008834" },
    };
    const counted = (at: bigint, subSequenceNumber: number, ordinal: number): Numbering => ({
      ...begun,
      belongsTo: { sequenceNumber: at.toString(), subSequenceNumber },
      base: { kind: "ordinal", ordinal },
    });

    it("are stored when they begin, then with each checkpoint, and kept by every other write", async () => {
      const { table, lease } = await taken();
      const first = expectWritten(await table.write(lease, { numbering: begun }, signal));
      expect(first).toEqual({ ...lease, counter: 2, numbering: begun });
      expect(await table.get(one, signal)).toEqual(first);
      const numbering = counted(5n, 7, 9_007_199_254_740_991);
      const stored = expectWritten(await table.write(first, { checkpoint: after(5n, 7), numbering }, signal));
      expect(stored).toEqual({ ...first, counter: 3, checkpoint: after(5n, 7), numbering });
      const renewed = expectWritten(await table.write(stored, {}, signal));
      const asked = expectWritten(await table.requestHandOff(renewed, "other", signal));
      expectWritten(await table.write(asked, { release: true }, signal));
      expect(await takeNow(table, one, "other")).toMatchObject({ numbering });
      expect(await table.get(one, signal)).toMatchObject({ numbering });
    });

    it("begin again in place of those that were stored", async () => {
      const { table, lease } = await taken();
      const numbering = counted(5n, 0, 3);
      const stored = expectWritten(await table.write(lease, { checkpoint: after(5n), numbering }, signal));
      const anew = { ...begun, epoch: "e-2", belongsTo: { sequenceNumber: "5", subSequenceNumber: 0 } };
      expect(expectWritten(await table.write(stored, { numbering: anew }, signal)).numbering).toEqual(anew);
      expect((await table.get(one, signal))?.numbering).toEqual(anew);
    });

    it("stay as they are when the write that would change them is refused", async () => {
      const { table, lease } = await taken();
      const first = expectWritten(await table.write(lease, { numbering: begun }, signal));
      const change = { checkpoint: after(5n), numbering: counted(5n, 0, 3) };
      expect((await table.write(lease, change, signal)).kind).toBe("refused");
      expect(await table.get(one, signal)).toEqual(first);
    });

    it("are gone with the end of the shard, also where it is not numbered any more", async () => {
      const { table, lease } = await taken();
      const numbering = counted(5n, 0, 3);
      const stored = expectWritten(await table.write(lease, { checkpoint: after(5n), numbering }, signal));
      const ended = expectWritten(await table.write(stored, { checkpoint: { kind: "shard-end" } }, signal));
      expect(ended).toEqual({
        ...stored,
        counter: 3,
        checkpoint: { kind: "shard-end" },
        numbering: undefined,
      });
      expect(await table.get(one, signal)).toEqual(ended);
    });

    it("are gone from a row that is made anew", async () => {
      const { table, lease } = await taken();
      const numbering = counted(5n, 0, 3);
      const stored = expectWritten(await table.write(lease, { checkpoint: after(5n), numbering }, signal));
      expect(await table.replace(stored, newLease(one), stamp, signal)).toBe(true);
      expect((await table.get(one, signal))?.numbering).toBeUndefined();
    });
  });

  describe("a request for a lease", () => {
    it("names the next owner and leaves the lease to its reader, who hands it over with his last checkpoint", async () => {
      const { table, lease } = await taken();
      const asked = expectWritten(await table.requestHandOff(lease, "other", signal));
      expect(asked).toEqual({ ...lease, owner: "other", checkpointOwner: "me" });
      expect((await table.write(lease, {}, signal)).kind).toBe("refused");
      const renewed = expectWritten(await table.write(asked, {}, signal));
      const handed = expectWritten(
        await table.write(renewed, { checkpoint: after(7n), release: true }, signal),
      );
      expect(handed).toMatchObject({ owner: "other", checkpointOwner: undefined, checkpoint: after(7n) });
      expect((await table.write(renewed, {}, signal)).kind).toBe("refused");
    });

    it("is refused when it was asked for already, or another worker took it since", async () => {
      const { table, lease } = await taken();
      expectWritten(await table.requestHandOff(lease, "other", signal));
      expect((await table.requestHandOff(lease, "third", signal)).kind).toBe("refused");
      const moved = await takeNow(table, one, "fourth");
      expect((await table.requestHandOff(lease, "third", signal)).kind).toBe("refused");
      expect(await table.get(one, signal)).toEqual(moved);
    });
  });

  describe("a request that is withdrawn", () => {
    it("leaves the lease as it was before, also twice, and what its reader wrote since", async () => {
      const { table, lease } = await taken();
      const asked = expectWritten(await table.requestHandOff(lease, "other", signal));
      expect(expectWritten(await table.withdrawRequest(one, "other", signal))).toEqual(lease);
      const outcome = await table.withdrawRequest(one, "other", signal);
      expect(outcome).toEqual({ kind: "refused", current: lease, retried: false });
      expect((await table.write(asked, {}, signal)).kind).toBe("refused");
      const again = expectWritten(await table.requestHandOff(lease, "other", signal));
      const stored = expectWritten(await table.write(again, { checkpoint: after(7n) }, signal));
      expect(expectWritten(await table.withdrawRequest(one, "other", signal))).toEqual({
        ...stored,
        owner: "me",
        checkpointOwner: undefined,
      });
    });

    it("is that worker's own, and not yet granted", async () => {
      const { table, lease } = await taken();
      const asked = expectWritten(await table.requestHandOff(lease, "other", signal));
      for (const worker of ["me", "third"]) {
        expect((await table.withdrawRequest(one, worker, signal)).kind).toBe("refused");
      }
      const handed = expectWritten(await table.write(asked, { release: true }, signal));
      expect(await table.withdrawRequest(one, "other", signal)).toMatchObject({ current: handed });
      expect(await table.get(one, signal)).toEqual(handed);
      const free = expectWritten(await table.write(handed, { release: true }, signal));
      expect((await table.withdrawRequest(one, "other", signal)).kind).toBe("refused");
      expect(await table.get(one, signal)).toEqual(free);
    });
  });

  describe("a request that nobody would hear", () => {
    it("is refused when the lease is gone, and does not bring it back", async () => {
      const { table, lease } = await taken({ checkpoint: { kind: "shard-end" } });
      await table.deleteFinished(one, "me", signal);
      const outcome = await table.requestHandOff(lease, "other", signal);
      expect(outcome).toEqual({ kind: "refused", current: undefined, retried: false });
      expect(await table.list({ consistent: true }, signal)).toEqual([]);
    });

    it("is refused when its owner is no worker of ours, or nobody", async () => {
      const { table, lease } = await taken();
      const asked = expectWritten(await table.requestHandOff(lease, "java", signal));
      const javas = expectWritten(await table.write(asked, { release: true }, signal));
      expect(javas).toMatchObject({ owner: "java", consumerWorker: "me" });
      expect((await table.requestHandOff(javas, "other", signal)).kind).toBe("refused");
      expect(await table.get(one, signal)).toEqual(javas);
      const back = await takeNow(table, one, "me");
      const released = expectWritten(await table.write(back, { release: true }, signal));
      expect((await table.requestHandOff(back, "other", signal)).kind).toBe("refused");
      expect(await table.get(one, signal)).toEqual(released);
    });
  });

  describe("children and clean-up", () => {
    it("notes children and ranges without moving the counter", async () => {
      const { table, lease } = await taken();
      const children = [shardId("shardId-000000000002"), shardId("shardId-000000000003")];
      expect(await table.setChildren(one, children, signal)).toBe(true);
      expect(await table.setHashKeyRange(one, { start: 1n, end: 2n }, signal)).toBe(true);
      expect(sorted(await table.get(one, signal))).toEqual({
        ...lease,
        childShardIds: children,
        hashKeyRange: { start: 1n, end: 2n },
      });
    });

    it.each([
      ["unfinished", { kind: "trim-horizon" }, "me", false],
      ["finished and another worker's", { kind: "shard-end" }, "other", false],
      ["finished and its own", { kind: "shard-end" }, "me", true],
    ] as const)("deletes a lease that is %s: %s", async (_what, checkpoint, owner, deleted) => {
      const { table } = await taken({ checkpoint }, owner);
      expect(await table.deleteFinished(one, "me", signal)).toBe(deleted);
      expect((await table.get(one, signal)) === undefined).toBe(deleted);
    });

    it("lets one of many win who write at once", async () => {
      const table = await made();
      await table.create([newLease(one)], stamp, signal);
      const seen = await table.get(one, signal);
      const outcomes = await Promise.all(
        ids(8).map(
          (worker) => table.take(seen as Lease, worker, { stamp, startTimeMs: undefined, sinceMs }, signal), // created above
        ),
      );
      expect(outcomes.filter((outcome) => outcome.kind === "written")).toHaveLength(1);
    });
  });
}

export function newLease(id: ShardId, change: Partial<NewLease> = {}): NewLease {
  return {
    shardId: id,
    checkpoint: { kind: "trim-horizon" },
    parentShardIds: [],
    hashKeyRange: { start: 0n, end: lastHashKey },
    startTimeMs: undefined,
    ...change,
  };
}

export function after(sequenceNumber: bigint, subSequenceNumber = 0): Checkpoint {
  return { kind: "after", sequenceNumber, subSequenceNumber };
}

export function expectWritten(outcome: WriteOutcome): Lease {
  if (outcome.kind !== "written") throw new Error(`expected a write, got ${outcome.kind}`);
  return outcome.lease;
}

async function takeNow(table: LeaseTable, id: ShardId, worker: string, startTimeMs?: number): Promise<Lease> {
  const seen = await table.get(id, signal);
  if (seen === undefined) throw new Error(`no lease ${id}`);
  return expectWritten(await table.take(seen, worker, { stamp, startTimeMs, sinceMs }, signal));
}

function ids(count: number): readonly ShardId[] {
  return Array.from({ length: count }, (_, index) => shardId(`shardId-${String(index).padStart(12, "0")}`));
}

/** Sets come back in an order of the store's own. */
function sorted<T extends { parentShardIds: readonly string[]; childShardIds: readonly string[] }>(
  lease: T | undefined,
): T | undefined {
  return (
    lease && {
      ...lease,
      parentShardIds: [...lease.parentShardIds].sort(),
      childShardIds: [...lease.childShardIds].sort(),
    }
  );
}
