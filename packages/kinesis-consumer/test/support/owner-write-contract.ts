import { describe, expect, it } from "vitest";
import type { Lease, NewLease } from "../../src/lease/lease.ts";
import type { Numbering } from "../../src/lease/numbering.ts";
import { shardId } from "../../src/shard/shard.ts";
import { after, expectWritten, type MakeTable, newLease, stamp, takeNow, withTaken } from "./lease-writes.ts";

const { signal } = new AbortController();
const one = shardId("shardId-000000000001");

/** What every lease table does with what a lease's owner writes. @param made a table of its own with nothing in it. */
export function ownerWriteContract(made: MakeTable): void {
  const taken = (change: Partial<NewLease> = {}, worker?: string) => withTaken(made, one, change, worker);

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
}
