import { expect } from "vitest";
import type { Lease } from "../../src/lease/lease.ts";
import type { ShardId } from "../../src/shard/shard.ts";
import { distinct, idOf, Rig, textsOf, type Worker } from "./rig.ts";

export const reset = { onStreamRecreated: "reset" } as const;
export const latest = { ...reset, initialPosition: { kind: "latest" } } as const;

/** A rig whose stream was read to its end by a worker that stopped, deleted, and created anew a minute later. */
export async function recreated({
  shards,
  thenShards,
}: {
  shards: number;
  thenShards: number;
}): Promise<Rig> {
  const rig = new Rig(shards);
  rig.put(20);
  const worker = await rig.start();
  await rig.until(() => worker.records.length === 20);
  await rig.close(worker);
  await rig.pass(60_000);
  rig.model.recreateStream("orders", thenShards);
  rig.table.calls.clear();
  return rig;
}

export function change(rig: Rig, index: number, to: Partial<Lease>): void {
  const row = rig.lease(index);
  if (row === undefined) throw new Error(`no lease ${index}`);
  rig.table.rows.set(idOf(index), { ...row, ...to });
}

/** A worker of Java's that renews one lease until it is aborted. */
export function renewing(rig: Rig, index: number): AbortController {
  const stopped = new AbortController();
  const renew = async () => {
    for (;;) {
      change(rig, index, { owner: "java", counter: (rig.lease(index)?.counter ?? 0) + 1 });
      await rig.clock.sleep(3_308, stopped.signal);
    }
  };
  renew().catch(() => {});
  return stopped;
}

export function texts(workers: readonly Worker[]): readonly string[] {
  return distinct(textsOf(workers.flatMap((worker) => worker.records)));
}

const reads = new Set(["ready", "list", "get"]);

export function writes(rig: Rig): readonly string[] {
  return [...rig.table.calls.keys()].filter((method) => !reads.has(method));
}

export function expectOnlyNew(rig: Rig, shards: number): void {
  const rows: ReadonlyMap<ShardId, Lease> = rig.table.rows;
  expect([...rows.keys()].sort()).toEqual(Array.from({ length: shards }, (_, index) => idOf(index)));
  for (const row of rows.values()) expect(row.streamCreatedMs).toBe(rig.stream.createdMs);
}
