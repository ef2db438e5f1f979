import { describe, expect, it } from "vitest";
import type { Lease, NewLease } from "../../src/lease/lease.ts";
import type { LeaseTable } from "../../src/lease/lease-table.ts";
import { type ShardId, shardId } from "../../src/shard/shard.ts";
import { handOffContract } from "./hand-off-contract.ts";
import { after, expectWritten, newLease, sinceMs, stamp, takeNow, withTaken } from "./lease-writes.ts";
import { ownerWriteContract } from "./owner-write-contract.ts";

const { signal } = new AbortController();
const one = shardId("shardId-000000000001");

/** What every lease table does, whatever it is made of. @param make a table of its own that does not exist yet. */
export function leaseTableContract(make: () => Promise<LeaseTable>): void {
  const made = async () => {
    const table = await make();
    await table.ensure(signal);
    return table;
  };
  const taken = (change: Partial<NewLease> = {}, worker?: string) => withTaken(made, one, change, worker);

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

  ownerWriteContract(made);
  handOffContract(made);

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
