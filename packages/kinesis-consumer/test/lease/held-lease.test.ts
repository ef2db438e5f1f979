import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { AwsUnavailableError } from "../../src/errors.ts";
import { HeldLease } from "../../src/lease/held-lease.ts";
import type { Lease } from "../../src/lease/lease.ts";
import { asCreated } from "../../src/lease/lease-maker.ts";
import type { LeaseChange, WriteOutcome } from "../../src/lease/lease-table.ts";
import { shardId } from "../../src/shard/shard.ts";
import { heldOptions } from "../support/held-options.ts";
import { after, newLease } from "../support/lease-writes.ts";
import { MemoryLeaseTable } from "../support/memory-lease-table.ts";

const signal = new AbortController().signal;
const id = shardId("shardId-000000000000");

class SlowTable extends MemoryLeaseTable {
  readonly clock = new TestClock();
  slowMs = 0;
  /** What the next writes answer, whatever they did. */
  readonly answers: ((done: WriteOutcome) => WriteOutcome)[] = [];

  override async write(lease: Lease, change: LeaseChange): Promise<WriteOutcome> {
    const done = await super.write(lease, change);
    if (this.slowMs > 0) await this.clock.sleep(this.slowMs, signal);
    return this.answers.shift()?.(done) ?? done;
  }
}

function held() {
  const table = new SlowTable();
  const row: Lease = {
    ...asCreated(newLease(id), { streamName: "orders", streamCreatedMs: undefined }),
    owner: "me",
    counter: 1,
  };
  table.rows.set(id, row);
  const lease = new HeldLease(table, row, heldOptions(table.clock));
  return { table, lease, row: () => table.rows.get(id) };
}

describe("HeldLease", () => {
  it("never stores a checkpoint that is not past the stored one; it renews instead", async () => {
    const { lease, row } = held();
    await lease.write(() => ({ checkpoint: after(10n) }), signal);
    for (const checkpoint of [after(9n, 5), after(10n), { kind: "trim-horizon" }] as const) {
      expect(await lease.write(() => ({ checkpoint }), signal)).toEqual({ kind: "written" });
    }
    expect(row()).toMatchObject({ checkpoint: after(10n), counter: 5 });
    await lease.write(() => ({ checkpoint: { kind: "shard-end" } }), signal);
    await lease.write(() => ({ checkpoint: after(11n), release: true }), signal);
    expect(row()).toMatchObject({ checkpoint: { kind: "shard-end" }, owner: undefined, counter: 7 });
  });

  it("writes one at a time, and asks what to write only when its turn has come", async () => {
    const { table, lease, row } = held();
    table.slowMs = 100;
    let newest = 1n;
    const writes = [1, 2, 3].map(() => lease.write(() => ({ checkpoint: after(newest) }), signal));
    newest = 7n;
    await table.clock.advance(1_000);
    await Promise.all(writes);
    expect(row()).toMatchObject({ checkpoint: after(7n), counter: 4 });
    expect(table.checkpoints.map(({ text }) => text)).toEqual(["7"]);
  });

  it("counts its deadline from just before the last successful write was sent, however slow the answer was", async () => {
    const { table, lease } = held();
    table.slowMs = 6_000;
    const write = lease.write(() => ({}), signal);
    await table.clock.advance(6_000);
    await write;
    expect(lease.deadlineMs).toBe(10_000);
    await table.clock.advance(3_999);
    expect(lease.live).toBe(true);
    await table.clock.advance(1);
    expect(lease.live).toBe(false);
    expect(lease.signal.reason).toMatchObject({ code: "PIO_LEASE_LOST" });
    expect(await lease.write(() => ({ checkpoint: after(5n) }), signal)).toEqual({ kind: "lost" });
    expect(table.checkpoints).toEqual([]);
  });

  it("knows its own write again when the client tried twice and the second try was refused", async () => {
    const { table, lease, row } = held();
    table.answers.push(() => ({ kind: "refused", current: row(), retried: true }));
    expect(await lease.write(() => ({ checkpoint: after(5n) }), signal)).toEqual({ kind: "written" });
    expect(lease.lease).toMatchObject({ counter: 2, checkpoint: after(5n) });
    expect(lease.lost).toBe(false);
  });

  it("does not take another process's write under its own name for one of its own", async () => {
    const { table, lease, row } = held();
    const before = row();
    if (before === undefined) throw new Error("no lease");
    table.rows.set(id, { ...before, counter: 2, checkpoint: after(9n) });
    expect(await lease.write(() => ({ checkpoint: after(5n) }), signal)).toEqual({ kind: "lost" });
    expect(lease.lost).toBe(true);
    expect(lease.signal.reason).toMatchObject({ message: expect.stringContaining("possible duplicate") });
  });

  it("does not take a hand-off for its own when another process has renewed under its name before", async () => {
    const { table, lease, row } = held();
    const before = row();
    if (before === undefined) throw new Error("no lease");
    const theirs = { ...before, owner: "java", checkpointOwner: "me", counter: 2 };
    table.rows.set(id, theirs);
    expect(await lease.write(() => ({ checkpoint: after(5n) }), signal)).toEqual({ kind: "lost" });
    expect(row()).toEqual(theirs);
    expect(lease.handOff.aborted).toBe(false);
    expect(lease.signal.reason).toMatchObject({ message: expect.stringContaining("possible duplicate") });
  });

  it("stores what is newest after a write whose answer was lost, in the same call", async () => {
    const { table, lease, row } = held();
    table.answers.push(() => ({
      kind: "failed",
      error: new AwsUnavailableError("no answer"),
      mayHaveLanded: true,
    }));
    expect((await lease.write(() => ({ checkpoint: after(5n) }), signal)).kind).toBe("failed");
    expect(await lease.write(() => ({ checkpoint: after(8n) }), signal)).toEqual({ kind: "written" });
    expect(row()).toMatchObject({ counter: 3, checkpoint: after(8n) });
    expect(lease.renewedMs).toBe(0);
  });

  it("remembers a write that its caller cut short", async () => {
    const { table, lease } = held();
    table.answers.push(() => {
      throw new Error("stopped");
    });
    await expect(lease.write(() => ({ checkpoint: { kind: "shard-end" } }), signal)).rejects.toThrow(
      "stopped",
    );
    expect(await lease.write(() => ({ release: true }), signal)).toEqual({ kind: "written" });
    expect(table.rows.get(id)).toMatchObject({ owner: undefined, checkpoint: { kind: "shard-end" } });
    expect(lease.lost).toBe(false);
  });
});
