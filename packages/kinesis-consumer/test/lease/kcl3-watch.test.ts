import { describe, expect, it, vi } from "vitest";
import { asCreated } from "../../src/lease/lease-maker.ts";
import { newLease } from "../support/lease-writes.ts";
import { idOf, Rig, unavailable, type Worker } from "../support/rig.ts";

// Minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 30_000 });

const passive =
  "workers of KCL 3 share the lease table: this one takes only leases that nobody wanted for 40 s, and reads little or nothing; stop them to let it take over, or stop it";
const blocking =
  "workers of KCL 3 wait to leave their 2.x mode: they cannot while this one holds a lease; stop it to let them, or leave them in that mode";

describe("beside workers of KCL 3 in their native mode", () => {
  it("leaves a lease that has expired to their leader for 40 s, and says so once", async () => {
    const rig = new Rig(2);
    const java = new JavaFleet(rig);
    java.own(0, 1);
    const worker = await start(rig);
    await rig.until(() => rig.logger.messages("warn").includes(passive), 1_000);
    await java.live(60_000, () => rig.pass(1_000));
    expect(held(worker)).toEqual([]);
    // It was last renewed 3 s ago.
    java.forget(1);
    await java.live(36_000, () => rig.pass(1_000));
    expect(held(worker)).toEqual([]);
    await java.live(6_000, () => rig.pass(1_000));
    expect(held(worker)).toEqual([idOf(1)]);
    await java.live(30_000, () => rig.pass(1_000));
    expect(rig.logger.messages("warn").filter((text) => text === passive)).toHaveLength(1);
    await rig.close(worker);
  });

  it("names the workers it means: those whose metrics move, and the leader, and none that is long gone", async () => {
    const rig = new Rig(1);
    const java = new JavaFleet(rig);
    java.own(0);
    const seconds = rig.clock.now() / 1_000;
    rig.kcl3.leaderBeat = "2 first";
    rig.kcl3.metricsSeconds.set("1", seconds - 60);
    rig.kcl3.metricsSeconds.set("3", seconds - 61);
    const worker = await start(rig);
    await rig.until(() => rig.logger.messages("warn").includes(passive), 1_000);
    expect(rig.logger.linesOf(passive)[0]?.fields).toMatchObject({
      clientVersion: "CLIENT_VERSION_3X",
      workers: ["0", "1", "2"],
    });
    await rig.close(worker);
  });

  it("leaves a lease of nobody to their leader for 40 s, too", async () => {
    const rig = new Rig(2);
    const java = new JavaFleet(rig);
    java.own(0);
    java.release(1);
    const worker = await start(rig);
    await java.live(38_000, () => rig.pass(1_000));
    expect(held(worker)).toEqual([]);
    await java.live(6_000, () => rig.pass(1_000));
    expect(held(worker)).toEqual([idOf(1)]);
    await rig.close(worker);
  });

  it("takes a lease after 10 s again once they have been silent for 35 s, although someone else renews", async () => {
    const rig = new Rig(2);
    const java = new JavaFleet(rig);
    java.own(0, 1);
    const worker = await start(rig);
    await java.live(60_000, () => rig.pass(1_000));
    for (let second = 0; second < 36; second += 1) {
      if (second % 3 === 0) java.renew();
      await rig.pass(1_000);
    }
    java.forget(1);
    expect(held(worker)).toEqual([]);
    for (let second = 0; second < 15; second += 1) {
      if (second % 3 === 0) java.renew();
      await rig.pass(1_000);
    }
    expect(held(worker)).toEqual([idOf(1)]);
    expect(rig.logger.messages("info")).toContain(
      "no worker of KCL 3 shows signs of life, leases are taken as usual",
    );
    await rig.close(worker);
  });

  it("keeps its last verdict while it cannot look", async () => {
    const rig = new Rig(2);
    const java = new JavaFleet(rig);
    java.own(0);
    java.release(1);
    const worker = await start(rig);
    await java.live(10_000, () => rig.pass(1_000));
    rig.kcl3.before = () => {
      throw unavailable();
    };
    await java.live(26_000, () => rig.pass(1_000));
    expect(held(worker)).toEqual([]);
    expect(rig.logger.messages("warn")).toEqual([passive, "tables of KCL 3 failing, retrying"]);
    await rig.close(worker);
  });

  it("takes the index and a leader for workers in that mode when the row that tells it is not to be had", async () => {
    const rig = new Rig(1);
    const java = new JavaFleet(rig);
    java.own(0);
    rig.kcl3.clientVersion = undefined;
    rig.kcl3.ownerIndex = true;
    const worker = await start(rig);
    await rig.until(() => rig.logger.messages("warn").includes(passive), 1_000);
    await rig.close(worker);
  });
});

describe("after workers of KCL 3 in their native mode", () => {
  it("takes everything 10 s after its start when they were stopped just before: nobody renews anything", async () => {
    const rig = new Rig(4);
    const java = new JavaFleet(rig);
    java.own(0, 1, 2, 3);
    rig.put(20);
    const worker = await start(rig);
    const tookMs = await rig.until(() => held(worker).length === 4);
    expect(tookMs).toBeGreaterThanOrEqual(10_000);
    expect(tookMs).toBeLessThan(13_100);
    await rig.until(() => worker.records.length === 20);
    await rig.close(worker);
  });

  it("does not take what an idle worker of theirs, seen meanwhile, may still be given", async () => {
    const rig = new Rig(2);
    const java = new JavaFleet(rig);
    java.own(0, 1);
    const worker = await start(rig);
    await rig.pass(6_000);
    java.beat();
    await rig.pass(20_000);
    java.beat();
    expect(held(worker)).toEqual([]);
    await rig.pass(12_000);
    expect(held(worker)).toEqual([]);
    await rig.pass(6_000);
    expect(held(worker)).toHaveLength(2);
    await rig.close(worker);
  });

  it("does not take what has expired while anyone renews another lease, for the first 35 s", async () => {
    const rig = new Rig(2);
    const java = new JavaFleet(rig);
    java.own(0, 1);
    java.forget(1);
    const worker = await start(rig);
    for (let second = 0; second < 33; second += 1) {
      if (second % 3 === 0) java.renew();
      await rig.pass(1_000);
    }
    expect(held(worker)).toEqual([]);
    await rig.close(worker);
  });

  it("acts at once as if they had never been there when their metrics are older than 10 min", async () => {
    const rig = new Rig(2);
    const java = new JavaFleet(rig);
    java.release(0, 1);
    rig.kcl3.metricsSeconds.set("0", rig.clock.now() / 1_000 - 601);
    const worker = await start(rig);
    await rig.until(() => held(worker).length === 2, 100);
    expect(rig.logger.messages("warn")).toEqual([]);
    await rig.close(worker);
  });
});

describe("what a leader of KCL 3 will want to know", () => {
  it("is noted with each renewal, long after the last of them: how much is read of each shard", async () => {
    const rig = new Rig(1);
    rig.kcl3.clientVersion = "CLIENT_VERSION_3X";
    const worker = await start(rig);
    rig.putBytes(Buffer.alloc(204_800), "key");
    await rig.until(() => rig.table.throughputs.has(idOf(0)), 10_000);
    // 200 KiB in the first renewal's 3.3 s, or a little longer.
    expect(rig.table.throughputs.get(idOf(0))).toBeGreaterThan(25);
    expect(rig.table.throughputs.get(idOf(0))).toBeLessThan(61);
    await rig.pass(40_000);
    expect(rig.table.throughputs.get(idOf(0))).toBeLessThan(0.1);
    rig.table.throughputs.clear();
    await rig.close(worker);
    expect(rig.table.throughputs.size).toBe(0);
  });

  it("is noted nowhere where there was only KCL 2: its rows stay as it makes them", async () => {
    const rig = new Rig(1);
    const worker = await start(rig);
    rig.put(5);
    await rig.pass(20_000);
    expect(rig.lease()?.counter).toBeGreaterThan(5);
    expect(rig.table.throughputs.size).toBe(0);
    await rig.close(worker);
  });
});

describe("beside workers of KCL 3 in their 2.x mode", () => {
  it("takes leases as beside KCL 2, and says once that their migration waits for it", async () => {
    const rig = new Rig(2);
    const java = new JavaFleet(rig);
    java.own(0);
    java.release(1);
    rig.kcl3.clientVersion = "CLIENT_VERSION_UPGRADE_FROM_2X";
    const worker = await start(rig);
    await rig.until(() => held(worker).length === 1, 100);
    await java.live(130_000, () => rig.pass(1_000));
    expect(rig.logger.messages("warn")).toEqual([blocking]);
    expect(rig.logger.linesOf(blocking)[0]?.fields).toMatchObject({ workers: ["0"] });
    await rig.close(worker);
  });

  it("notices within a minute that they have left it", async () => {
    const rig = new Rig(1);
    const java = new JavaFleet(rig);
    java.own(0);
    rig.kcl3.clientVersion = "CLIENT_VERSION_UPGRADE_FROM_2X";
    const worker = await start(rig);
    await java.live(70_000, () => rig.pass(1_000));
    rig.kcl3.clientVersion = "CLIENT_VERSION_3X_WITH_ROLLBACK";
    await java.live(61_000, () => rig.pass(1_000));
    expect(rig.logger.messages("warn")).toContain(passive);
    await rig.close(worker);
  });
});

async function start(rig: Rig): Promise<Worker> {
  return await rig.start({ instanceId: "7" });
}

function held(worker: Worker): readonly string[] {
  return worker.consumer.status().map((partition) => partition.id);
}

/** Workers of KCL 3 as the tables show them: leases renewed every 3 s, a leader and metrics that move every 30 s. */
class JavaFleet {
  readonly #rig: Rig;
  readonly #renewed = new Set<number>();
  #second = 0;

  constructor(rig: Rig) {
    this.#rig = rig;
    rig.table.exists = true;
    rig.kcl3.clientVersion = "CLIENT_VERSION_3X";
    rig.kcl3.leaderBeat = "0 first";
    rig.kcl3.metricsSeconds.set("0", rig.clock.now() / 1_000);
  }

  own(...indexes: readonly number[]): void {
    for (const index of indexes) {
      this.#put(index, "0");
      this.#renewed.add(index);
    }
  }

  release(...indexes: readonly number[]): void {
    for (const index of indexes) this.#put(index, undefined);
  }

  /** Renews a lease no more. */
  forget(index: number): void {
    this.#renewed.delete(index);
  }

  renew(): void {
    for (const index of this.#renewed) {
      const row = this.#rig.lease(index);
      if (row !== undefined) this.#rig.table.rows.set(idOf(index), { ...row, counter: row.counter + 1 });
    }
  }

  beat(): void {
    this.#rig.kcl3.leaderBeat = `0 ${this.#rig.clock.now()}`;
  }

  /** Lives for `ms` milliseconds. @param second lets one pass. */
  async live(ms: number, second: () => Promise<void>): Promise<void> {
    const { kcl3, clock } = this.#rig;
    for (let left = ms; left > 0; left -= 1_000) {
      if (this.#second % 3 === 0) this.renew();
      if (this.#second % 30 === 15) kcl3.metricsSeconds.set("0", clock.now() / 1_000);
      if (this.#second % 30 === 0) this.beat();
      this.#second += 1;
      await second();
    }
  }

  #put(index: number, owner: string | undefined): void {
    const shard = this.#rig.stream.shards(this.#rig.clock.now())[index];
    if (shard === undefined) throw new Error(`no shard ${index}`);
    const lease = newLease(idOf(index), { hashKeyRange: shard.range });
    const created = asCreated(lease, { streamName: "orders", streamCreatedMs: undefined });
    this.#rig.table.rows.set(idOf(index), { ...created, owner, counter: 5 });
  }
}
