import { describe, expect, it } from "vitest";
import type { NewLease } from "../../src/lease/lease.ts";
import { shardId } from "../../src/shard/shard.ts";
import { after, expectWritten, type MakeTable, takeNow, withTaken } from "./lease-writes.ts";

const { signal } = new AbortController();
const one = shardId("shardId-000000000001");

/** How every lease table lets leases go from one worker to another. @param made a table of its own with nothing in it. */
export function handOffContract(made: MakeTable): void {
  const taken = (change: Partial<NewLease> = {}, worker?: string) => withTaken(made, one, change, worker);

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
}
