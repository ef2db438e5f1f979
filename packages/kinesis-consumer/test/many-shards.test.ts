import { describe, expect, it, vi } from "vitest";
import type { Lease } from "../src/lease/lease.ts";
import { distinct, Rig, textsOf, type Worker } from "./support/rig.ts";

// Twelve hundred readers: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 240_000 });

const shardCount = 1_200;
/** A shard is read when its lease is taken, and not again in this test. */
const retrieval = { kind: "polling", idleMs: 600_000 } as const;

describe("two workers on a stream of 1,200 shards", () => {
  it("have 600 each, and the one has all within 13 s of the other's death, with every record; Node warns of nothing", async () => {
    const warnings = vi.spyOn(process, "emitWarning");
    const rig = new Rig(shardCount);
    const held = countHeld(rig);
    const put = [...rig.put(100)];
    const first = await rig.start({ instanceId: "a", retrieval });
    await rig.until(() => held(first) === shardCount && first.records.length === put.length, 15_000);
    put.push(...rig.put(100));
    const second = await rig.start({ instanceId: "b", retrieval });
    await rig.until(() => held(first) === 600 && held(second) === 600, 20_000);
    expect(second.records.length).toBeGreaterThan(0);
    first.kill();
    await rig.until(() => held(second) === shardCount, 13_000);
    await rig.until(() => first.records.length + second.records.length >= put.length, 1_000);
    expect(distinct(textsOf([...first.records, ...second.records]))).toEqual(put);
    await rig.close(second);
    expect(held(second)).toBe(0);
    expect(rig.table.rows.size).toBe(shardCount);
    expect(warnings).not.toHaveBeenCalled();
    warnings.mockRestore();
  });
});

/** How many leases are a worker's alone: kept up to date, as looking at each of them each time would take most of the test. */
function countHeld(rig: Rig): (worker: Worker) => number {
  const counts = new Map<string, number>();
  const holder = ({ owner, checkpointOwner }: Lease) => (checkpointOwner === undefined ? owner : undefined);
  const add = (owner: string | undefined, count: number) => {
    if (owner !== undefined) counts.set(owner, (counts.get(owner) ?? 0) + count);
  };
  rig.table.stored = (_method, row, before) => {
    add(holder(before), -1);
    add(holder(row), 1);
  };
  return (worker) => counts.get(worker.consumer.workerId) ?? 0;
}
