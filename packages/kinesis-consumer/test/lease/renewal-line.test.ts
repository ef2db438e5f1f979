import { crowdedController, silentLogger, silentMeter, silentTroubles } from "@pulsar-ts-io/core";
import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it, vi } from "vitest";
import { AwsUnreachableError } from "../../src/errors.ts";
import type { HeldLease } from "../../src/lease/held-lease.ts";
import type { Lease } from "../../src/lease/lease.ts";
import { LeaseCoordinator, type LeaseProgress } from "../../src/lease/lease-coordinator.ts";
import { asCreated } from "../../src/lease/lease-maker.ts";
import type { LeaseChange, WriteOutcome } from "../../src/lease/lease-table.ts";
import { RenewalLine } from "../../src/lease/renewal-line.ts";
import { newLease, stamp } from "../support/lease-writes.ts";
import { MemoryLeaseTable } from "../support/memory-lease-table.ts";
import { idOf } from "../support/rig.ts";

vi.setConfig({ testTimeout: 60_000 });

const never = new AbortController().signal;
const failoverMs = 10_000;
const atOnce = 128;
const writeTimeoutMs = 3_000;

/** Does one write after the other, each in `writeMs`; whoever waits longer than a call may take gives up, and is written all the same. */
class BusyTable extends MemoryLeaseTable {
  readonly #clock: TestClock;
  readonly #writeMs: number;
  #freeMs = 0;

  constructor(clock: TestClock, writeMs: number) {
    super();
    this.#clock = clock;
    this.#writeMs = writeMs;
  }

  /** Work that others have asked for. */
  occupy(ms: number): void {
    this.#freeMs = Math.max(this.#freeMs, this.#clock.monotonic()) + ms;
  }

  override async write(lease: Lease, change: LeaseChange): Promise<WriteOutcome> {
    this.occupy(this.#writeMs);
    const waitMs = this.#freeMs - this.#clock.monotonic();
    const { shardId } = lease;
    await this.#clock.sleep(Math.min(waitMs, writeTimeoutMs), never);
    if (waitMs <= writeTimeoutMs) return await super.write(lease, change);
    const error = new AwsUnreachableError("no answer in time", { details: { shardId } });
    return { kind: "failed", error, mayHaveLanded: false };
  }
}

const progress: LeaseProgress = {
  unsaved: () => undefined,
  saved: () => {},
  throughputKBps: () => undefined,
  settled: () => Promise.resolve(),
  letGo: () => Promise.resolve(),
};

describe("the leases of a worker", () => {
  it("are all kept when 1,200 are renewed on a table that does 250 writes a second, and calls end after 3 s", async () => {
    const clock = new TestClock();
    const table = new BusyTable(clock, 4);
    const coordinator = new LeaseCoordinator(table, silentLogger, {
      clock,
      meter: silentMeter,
      outage: silentTroubles.of("lease table"),
      failoverMs,
      checkpointIntervalMs: 60_000,
      backoffMs: 3_000,
      checkpointAttempts: 3,
      random: Math.random,
    });
    const held = Array.from({ length: 1_200 }, (_, index): HeldLease => {
      const lease = { ...asCreated(newLease(idOf(index)), stamp), owner: "me", counter: 1 };
      table.rows.set(lease.shardId, lease);
      return coordinator.hold(lease, clock.monotonic(), progress);
    });
    const stop = crowdedController();
    const running = coordinator.run(stop.signal);
    for (let second = 0; second < 40; second += 1) {
      // What others ask of the table: a fifth of its time.
      table.occupy(200);
      await clock.advance(1_000);
    }
    expect(held.filter((lease) => lease.lost)).toEqual([]);
    stop.abort(new Error("the test is over"));
    await clock.advance(1_000);
    await running;
  });
});

describe("RenewalLine", () => {
  const open = () => {
    const clock = new TestClock();
    const line = new RenewalLine({ clock, failoverMs, random: () => 0 });
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const write = (deadlineMs: number, signal = never) =>
      line.inTurn(
        deadlineMs,
        () => {
          begun.push(deadlineMs);
          return new Promise<void>((resolve) => ends.push(resolve));
        },
        signal,
      );
    /** Writes that take every turn there is. */
    const fill = async () => {
      for (let count = 0; count < atOnce; count += 1) void write(1_000_000 + count);
      await clock.settle();
      begun.length = 0;
    };
    return { clock, line, begun, ends, write, fill };
  };

  it("does 128 writes at once, and then the one whose lease ends first", async () => {
    const { clock, begun, ends, write, fill } = open();
    await fill();
    for (const deadlineMs of [9_000, 7_000, 8_000]) void write(deadlineMs);
    await clock.settle();
    expect(begun).toEqual([]);
    for (let count = 0; count < 3; count += 1) {
      ends[count]?.();
      await clock.settle();
    }
    expect(begun).toEqual([7_000, 8_000, 9_000]);
  });

  it("gives no turn to a lease that ends before a write could, while another can be kept", async () => {
    const { clock, begun, ends, write, fill } = open();
    await fill();
    for (const deadlineMs of [1_000, 1_100, 4_000]) void write(deadlineMs);
    await clock.advance(900);
    for (let count = 0; count < 3; count += 1) {
      ends[count]?.();
      await clock.settle();
    }
    expect(begun).toEqual([4_000, 1_000, 1_100]);
  });

  it("leaves out a write whose caller stopped waiting", async () => {
    const { clock, begun, ends, write, fill } = open();
    await fill();
    const stop = new AbortController();
    const stopped = write(5_000, stop.signal);
    void write(6_000);
    stop.abort(new Error("stopped"));
    await expect(stopped).rejects.toThrow("stopped");
    ends[0]?.();
    await clock.settle();
    expect(begun).toEqual([6_000]);
  });

  it("keeps other work waiting while a write that waits has less than half of the lease left", async () => {
    const { clock, line, ends, write, fill } = open();
    await fill();
    let free = 0;
    const standBack = () => line.standBack(never).then(() => (free += 1));
    void write(9_000);
    void standBack();
    await clock.settle();
    expect(free).toBe(1);
    await clock.advance(4_500);
    void standBack();
    await clock.advance(1_000);
    expect(free).toBe(1);
    ends[0]?.();
    await clock.advance(100);
    expect(free).toBe(2);
  });

  it("holds others up no longer than they allow", async () => {
    const { clock, line, write, fill } = open();
    await fill();
    void write(4_000);
    let free = 0;
    void line.standBack(never, 1_000).then(() => (free += 1));
    void line.standBack(never).then(() => (free += 1));
    await clock.advance(900);
    expect(free).toBe(0);
    await clock.advance(200);
    expect(free).toBe(1);
  });
});
