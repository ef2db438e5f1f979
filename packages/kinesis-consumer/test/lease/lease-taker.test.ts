import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it, vi } from "vitest";
import type { Lease } from "../../src/lease/lease.ts";
import { asCreated } from "../../src/lease/lease-maker.ts";
import { LeaseTaker } from "../../src/lease/lease-taker.ts";
import { OutageLog } from "../../src/outage-log.ts";
import { newLease } from "../support/lease-table-contract.ts";
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
    [10_000, 16_000],
  ])("takes %d leases of a worker that died within %d ms of its last renewals", async (count, withinMs) => {
    await using rig = new TakerRig(count);
    await rig.renew(20_000);
    await rig.pass(withinMs);
    expect(rig.taken).toHaveLength(count);
    expect(Math.min(...rig.taken.map(({ afterMs }) => afterMs))).toBeGreaterThanOrEqual(10_000);
  });

  it.each([
    [2, 3_000],
    [5_000, 3_000],
    [10_000, 6_000],
    [35_000, 20_000],
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

/** One who takes leases that are all another worker's. */
class TakerRig implements AsyncDisposable {
  readonly clock: TestClock = new TestClock();
  readonly table: MemoryLeaseTable = new MemoryLeaseTable();
  /** How long after its last renewal each lease was taken that was. */
  readonly taken: { readonly afterMs: number }[] = [];
  readonly #renewedMs = new Map<string, number>();
  readonly #held = new Set<string>();
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(count: number) {
    for (let index = 0; index < count; index += 1) {
      const lease: Lease = {
        ...asCreated(newLease(idOf(index)), stamp),
        owner: "other",
        consumerWorker: "other",
      };
      this.table.rows.set(lease.shardId, lease);
    }
    const taker = new LeaseTaker(
      this.table,
      {
        isHeld: (id) => this.#held.has(id),
        taken: (lease) => this.#took(lease),
        latestMs: () => 0,
      },
      {
        clock: this.clock,
        logger: new RecordingLogger(),
        outage: new OutageLog(new RecordingLogger(), "the lease table"),
        stamp,
        workerId: "me",
        instanceId: "me",
        failoverMs: 10_000,
        restraint: { maySteal: false, takeableFromMs: ({ fromMs }) => fromMs },
      },
    );
    taker.scanned([...this.table.rows.values()], 0);
    const { signal } = this.#stop;
    this.#running = taker.run(signal, signal).catch(() => {});
  }

  /** Lets time pass in which the other worker renews each of its leases once in an interval, one after the other. */
  async renew(ms: number): Promise<void> {
    const stepMs = renewMs / 16;
    for (let passedMs = 0, turn = 0; passedMs < ms; passedMs += stepMs, turn += 1) {
      const due = [...this.table.rows.values()].filter((_, index) => index % 16 === turn % 16);
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
    this.taken.push({ afterMs: this.clock.monotonic() - renewedMs });
  }
}
