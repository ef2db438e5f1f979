import { describe, expect, it, vi } from "vitest";
import { shardSyncLeader, shuffledWorkers } from "../src/lease/shard-sync-leader.ts";
import { distinct, idOf, Rig, textsOf, type Worker } from "./support/rig.ts";

// Minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 120_000 });

describe("the audit of the leases", () => {
  it("costs a fleet one listing of the shards every two minutes, made by the worker that KCL would make the leader", async () => {
    const { rig, workers, listings } = await fleet(2);
    listings.length = 0;
    await rig.pass(300_000);
    const leader = shardSyncLeader([...rig.table.rows.values()]);
    expect(listings.length).toBeGreaterThanOrEqual(2);
    expect(listings.length).toBeLessThanOrEqual(3);
    const names = workers.map(({ consumer }) => consumer.workerId);
    expect(new Set(listings)).toEqual(new Set([names.indexOf(leader ?? "")]));
    await closeAll(rig, workers);
  });

  it("is made by others when the leader is one of KCL 2 that does none", async () => {
    const { rig, workers } = await fleet(2);
    const put = rig.put(40);
    await rig.until(() => texts(workers).length === 40);
    const leader = leaderBeside(workers);
    rig.table.rows.set(idOf(1), { ...row(rig, 1), owner: leader });
    rig.table.rows.delete(idOf(2));
    await rig.until(() => rig.lease(2) !== undefined, 5_000);
    expect(texts(workers)).toEqual(put);
    await closeAll(rig, workers);
  });

  it.each([0, 1, 2])(
    "finds within one scan that lease %d is missing, although others lead",
    async (missing) => {
      const { rig, workers } = await fleet(2);
      rig.kcl3.clientVersion = "CLIENT_VERSION_3X";
      for (const beat of ["a", "b", "c"]) {
        rig.kcl3.leaderBeat = `java ${beat}`;
        rig.kcl3.metricsSeconds.set("java", Math.floor(rig.clock.now() / 1_000));
        await rig.pass(30_000);
      }
      rig.table.rows.delete(idOf(missing));
      await rig.until(() => rig.lease(missing) !== undefined, 5_000);
      await closeAll(rig, workers);
    },
  );

  it("finds within one scan the child that a finished parent's owner did not live to create", async () => {
    const { rig, workers } = await fleet(2);
    rig.put(20);
    await rig.until(() => texts(workers).length === 20);
    for (const worker of workers) worker.stop.abort(new Error("stopped"));
    await closeAll(rig, workers);
    rig.stream.split(idOf(0), 2n ** 126n, rig.clock.now());
    rig.table.rows.set(idOf(0), { ...row(rig, 0), checkpoint: { kind: "shard-end" } });
    const worker = await rig.start();
    await rig.until(() => rig.lease(3) !== undefined && rig.lease(4) !== undefined, 5_000);
    expect(rig.lease(3)).toMatchObject({ parentShardIds: [idOf(0)] });
    await rig.close(worker);
  });

  it("reports shards that Kinesis does not list as a failure of Kinesis, not of the lease table", async () => {
    const { rig, workers } = await fleet(2);
    const always = { count: Number.POSITIVE_INFINITY };
    const fault = rig.service.faults.refuse("ListShards", "InternalFailure", always);
    rig.table.rows.delete(idOf(0));
    await rig.until(() => rig.logger.linesOf("list of shards failing, retrying").length > 0, 5_000);
    await rig.pass(20_000);
    expect(rig.logger.linesOf("lease table failing, retrying")).toEqual([]);
    fault.lift();
    await rig.until(() => rig.logger.linesOf("list of shards recovered").length > 0, 10_000);
    await rig.until(() => rig.lease(0) !== undefined, 5_000);
    await closeAll(rig, workers);
  });

  it("does not list the shards again and again for a hole that nothing can fill", async () => {
    const { rig, workers, listings } = await fleet(2);
    rig.service.faults.refuse("ListShards", "LimitExceededException", { count: 1 });
    // No shard covers these keys: the row of a shard says less than it should.
    const { hashKeyRange } = row(rig, 2);
    if (hashKeyRange === undefined) throw new Error("no range");
    rig.table.rows.set(idOf(2), {
      ...row(rig, 2),
      hashKeyRange: { ...hashKeyRange, start: hashKeyRange.start + 5n },
    });
    listings.length = 0;
    await rig.pass(180_000);
    expect(listings.length).toBeGreaterThanOrEqual(4);
    expect(listings.length).toBeLessThanOrEqual(10);
    await closeAll(rig, workers);
  });

  it("leaves the round to the leader of KCL 3 while it lives", async () => {
    const { rig, workers, listings } = await fleet(2);
    rig.kcl3.clientVersion = "CLIENT_VERSION_3X";
    listings.length = 0;
    for (let beat = 0; beat < 10; beat += 1) {
      rig.kcl3.leaderBeat = `java ${beat}`;
      rig.kcl3.metricsSeconds.set("java", Math.floor(rig.clock.now() / 1_000));
      await rig.pass(30_000);
    }
    // It may be noticed a minute late.
    expect(listings.length).toBeLessThanOrEqual(1);
    await closeAll(rig, workers);
  });
});

/** Workers that share three shards. `listings`: which of them listed the shards, each time. */
async function fleet(count: number) {
  const rig = new Rig(3);
  const listings: number[] = [];
  const workers: Worker[] = [];
  for (let index = 0; index < count; index += 1) {
    rig.through = (stream) =>
      new Proxy(stream, {
        get(target, key) {
          if (key === "listShards") listings.push(index);
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    // Few calls for records, so that minutes pass quickly.
    const retrieval = { kind: "polling", idleMs: 10_000 } as const;
    workers.push(await rig.start({ instanceId: `${index}`, retrieval }));
  }
  const share = () => new Set([...rig.table.rows.values()].map(({ owner }) => owner));
  await rig.until(() => share().size === count && !share().has(undefined));
  return { rig, workers, listings };
}

/** The number of a Java worker that leads beside ours. */
function leaderBeside(workers: readonly Worker[]): string {
  const ours = workers.map(({ consumer }) => consumer.workerId);
  for (let number = 0; ; number += 1) {
    if (shuffledWorkers([...ours, `${number}`])[0] === `${number}`) return `${number}`;
  }
}

async function closeAll(rig: Rig, workers: readonly Worker[]): Promise<void> {
  for (const worker of workers) await rig.close(worker);
}

function row(rig: Rig, index: number) {
  const lease = rig.lease(index);
  if (lease === undefined) throw new Error(`no lease ${index}`);
  return lease;
}

function texts(workers: readonly Worker[]): readonly string[] {
  return distinct(textsOf(workers.flatMap((worker) => worker.records)));
}
