import { silentTroubles } from "@pulsar-ts-io/core";
import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it, vi } from "vitest";
import type { Lease } from "../../src/lease/lease.ts";
import { asCreated } from "../../src/lease/lease-maker.ts";
import { chosenWorker } from "../../src/lease/lease-share.ts";
import { LeaseTaker } from "../../src/lease/lease-taker.ts";
import type { ShardId } from "../../src/shard/shard.ts";
import { newLease } from "../support/lease-writes.ts";
import { MemoryLeaseTable } from "../support/memory-lease-table.ts";
import { idOf } from "../support/rig.ts";

const stamp = { streamName: "orders", streamCreatedMs: undefined };
/** As every worker renews. */
const renewMs = 3_308;

vi.setConfig({ testTimeout: 30_000 });

describe("LeaseTaker", () => {
  it.each([
    [100, 13_000],
    [5_000, 13_000],
    [10_000, 15_500],
  ])("takes %d leases of a worker that died within %d ms of its last renewals", async (count, withinMs) => {
    await using rig = new TakerRig(count);
    await rig.renew(20_000);
    await rig.pass(withinMs);
    expect(rig.taken).toHaveLength(count);
    expect(Math.min(...rig.taken.map(({ afterMs }) => afterMs))).toBeGreaterThanOrEqual(10_000);
  });

  it.each([
    [2, 2_500],
    [5_000, 2_500],
    [10_000, 5_000],
    [40_000, 20_000],
  ])("scans a table of %d leases every %d ms", async (count, everyMs) => {
    await using rig = new TakerRig(count);
    const scans = () => rig.table.calls.get("list") ?? 0;
    const before = scans();
    await rig.pass(2 * everyMs - 1);
    expect(scans() - before).toBe(1);
    await rig.pass(1);
    expect(scans() - before).toBe(2);
  });
});

describe("what a dead worker had", () => {
  it("is taken at once by the one it falls to, however much he has, and by anyone 2 s later", async () => {
    const owners = (index: number) => (index < 20 ? "me" : index < 22 ? "living" : "other");
    await using rig = new TakerRig(60, owners);
    await rig.renew(20_000);
    await rig.renew(13_000, "other");
    await rig.renew(2_000, "other");
    expect(rig.taken).toHaveLength(38);
    const mine = rig.taken.filter(({ id }) => chosenWorker(id, ["me", "living"]) === "me");
    expect(mine.length).toBeGreaterThan(10);
    expect(Math.max(...mine.map(({ afterMs }) => afterMs))).toBeLessThanOrEqual(13_000);
    const left = rig.taken.filter((one) => !mine.includes(one));
    expect(Math.min(...left.map(({ afterMs }) => afterMs))).toBeGreaterThanOrEqual(12_000);
  });
});

/** One who takes leases that are other workers'. */
class TakerRig implements AsyncDisposable {
  readonly clock: TestClock = new TestClock();
  readonly table: MemoryLeaseTable = new MemoryLeaseTable();
  /** How long after its last renewal each lease was taken that was. */
  readonly taken: { readonly id: ShardId; readonly afterMs: number }[] = [];
  readonly #renewedMs = new Map<string, number>();
  readonly #held = new Set<string>();
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(count: number, ownerOf: (index: number) => string = () => "other") {
    for (let index = 0; index < count; index += 1) {
      const lease: Lease = {
        ...asCreated(newLease(idOf(index)), stamp),
        owner: ownerOf(index),
        consumerWorker: ownerOf(index),
      };
      if (lease.owner === "me") this.#held.add(lease.shardId);
      this.table.rows.set(lease.shardId, lease);
    }
    const taker = new LeaseTaker(
      this.table,
      {
        isHeld: (id) => this.#held.has(id),
        taken: (lease) => this.#took(lease),
        standBack: () => Promise.resolve(),
        latestMs: () => 0,
      },
      {
        clock: this.clock,
        logger: new RecordingLogger(),
        outage: silentTroubles.of("lease table"),
        stamp,
        workerId: "me",
        instanceId: "me",
        failoverMs: 10_000,
        random: () => 0.999,
        restraint: { maySteal: false, takeableFromMs: ({ fromMs }) => fromMs },
      },
    );
    taker.scanned([...this.table.rows.values()], 0);
    const { signal } = this.#stop;
    this.#running = taker.run(signal, signal).catch(() => {});
  }

  /** Lets time pass in which the workers renew each lease once in an interval, one after the other; but for one that is dead. */
  async renew(ms: number, dead?: string): Promise<void> {
    const stepMs = renewMs / 16;
    for (let passedMs = 0, turn = 0; passedMs < ms; passedMs += stepMs, turn += 1) {
      const due = [...this.table.rows.values()].filter(
        (row, index) => row.owner !== dead && index % 16 === turn % 16,
      );
      for (const row of due) {
        this.table.rows.set(row.shardId, { ...row, counter: row.counter + 1 });
        this.#renewedMs.set(row.shardId, this.clock.monotonic());
      }
      await this.pass(stepMs);
    }
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the test is over"));
    await this.#running;
  }

  #took(lease: Lease): void {
    this.#held.add(lease.shardId);
    const renewedMs = this.#renewedMs.get(lease.shardId) ?? 0;
    this.taken.push({ id: lease.shardId, afterMs: this.clock.monotonic() - renewedMs });
  }
}
