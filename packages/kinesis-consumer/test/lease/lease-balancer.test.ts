import { silentTroubles } from "@pulsar-ts-io/core";
import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import type { Lease } from "../../src/lease/lease.ts";
import { LeaseBalancer } from "../../src/lease/lease-balancer.ts";
import { asCreated } from "../../src/lease/lease-maker.ts";
import { newLease } from "../support/lease-writes.ts";
import { MemoryLeaseTable } from "../support/memory-lease-table.ts";
import { idOf } from "../support/rig.ts";
import { unstopped } from "../support/unstopped.ts";

const stamp = { streamName: "orders", streamCreatedMs: undefined };
const nowMs = 5_000;

/** What a worker without leases takes at once of those that "living" has, by what its scan saw and what they are now. */
async function steals(
  seen: Partial<Lease>,
  now: Partial<Lease>,
): Promise<{ readonly taken: readonly Lease[]; readonly asked: number }> {
  const table = new MemoryLeaseTable();
  const created = [0, 1, 2].map((index) => asCreated(newLease(idOf(index)), stamp));
  for (const lease of created) table.rows.set(lease.shardId, { ...lease, owner: "living", ...now });
  const balancer = new LeaseBalancer(table, {
    clock: new TestClock(),
    logger: new RecordingLogger(),
    outage: silentTroubles.of("lease table"),
    workerId: "me",
    restraint: { maySteal: true, takeableFromMs: ({ fromMs }) => fromMs },
  });
  const leases = created.map((lease) => ({
    lease: { ...lease, owner: "living", ...seen },
    sinceMs: 0,
    expiresMs: 10_000,
    renewedMs: 0,
    checkpointedMs: undefined,
  }));
  const view = { workerId: "me", leases, isHeld: () => false, nowMs, failoverMs: 10_000 };
  const taken = await balancer.balance(view, unstopped, unstopped);
  return { taken, asked: balancer.asked.length };
}

describe("LeaseBalancer", () => {
  it("takes a lease of a Java worker, which cannot be asked, as it is now", async () => {
    const { taken, asked } = await steals({ counter: 1 }, { counter: 2 });
    expect(taken.map(({ counter }) => counter)).toEqual([2]);
    expect(asked).toBe(0);
  });

  it("asks a worker of ours, and takes nothing", async () => {
    const ours = { consumerWorker: "living" };
    expect(await steals(ours, ours)).toEqual({ taken: [], asked: 1 });
  });

  it("takes no lease that was handed over when it was seen, and has been taken since by the worker it was for", async () => {
    const handedOver = { consumerWorker: "former", counter: 27 };
    const taken = { consumerWorker: "living", counter: 28 };
    expect(await steals(handedOver, taken)).toEqual({ taken: [], asked: 0 });
  });

  it("takes no lease that is handed over, or is another's, by now", async () => {
    expect((await steals({}, { checkpointOwner: "living", owner: "next" })).taken).toEqual([]);
    expect((await steals({}, { owner: "next" })).taken).toEqual([]);
    expect((await steals({}, { checkpointOwner: "former" })).taken).toEqual([]);
  });
});
