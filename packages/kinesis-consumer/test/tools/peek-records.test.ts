import type { StartPosition } from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";
import type { KinesisStream } from "../../src/shard/kinesis-stream.ts";
import { type PeekedRecord, type PeekOptions, peekRecords } from "../../src/tools/peek-records.ts";
import { aggregateOf } from "../support/kpl-encoder.ts";
import { idOf, Rig } from "../support/rig.ts";
import { portsOf } from "../support/tool-ports.ts";

const horizon: StartPosition = { kind: "trim-horizon" };
const usual: PeekOptions = {
  streamName: "orders",
  initialPosition: horizon,
  aggregates: { kind: "split", filterByHashKey: true },
  count: 100,
};

/** What is seen, while time passes. */
async function peek(
  rig: Rig,
  options: Partial<PeekOptions> = {},
  ports: Parameters<typeof peekRecords>[0] = portsOf(rig),
): Promise<readonly PeekedRecord[]> {
  const context = { clock: rig.clock, logger: rig.logger, signal: new AbortController().signal };
  const seen: PeekedRecord[] = [];
  let done = false;
  const work = (async () => {
    for await (const record of peekRecords(ports, context, { ...usual, ...options })) seen.push(record);
  })().finally(() => {
    done = true;
  });
  work.catch(() => undefined);
  await rig.until(() => done);
  await work;
  return seen;
}

/** The calls of a stream, for one of them to be replaced. */
function bound(stream: KinesisStream): KinesisStream {
  return {
    listShards: (from, signal) => stream.listShards(from, signal),
    createdMs: (signal) => stream.createdMs(signal),
    openIterator: (id, position, signal) => stream.openIterator(id, position, signal),
    getRecords: (id, iterator, limit, signal) => stream.getRecords(id, iterator, limit, signal),
    serviceTimeMs: () => stream.serviceTimeMs(),
  };
}

function texts(records: readonly PeekedRecord[]): readonly string[] {
  return records.map(({ data }) => Buffer.from(data).toString()).sort();
}

describe("peekRecords", () => {
  it("shows what a first start would read, from all shards, and writes nothing", async () => {
    const rig = new Rig(3);
    const put = rig.put(30);
    expect(texts(await peek(rig))).toEqual([...put].sort());
    expect([...rig.table.rows.keys()]).toEqual([]);
    for (const method of ["create", "take", "replace", "renew", "deleteUnchanged"]) {
      expect(rig.table.calls.get(method) ?? 0).toBe(0);
    }
  });

  it("shows no more than it was asked for, and something of each shard", async () => {
    const rig = new Rig(3);
    rig.put(300);
    const seen = await peek(rig, { count: 9 });
    expect(seen).toHaveLength(9);
    expect(new Set(seen.map(({ shardId }) => shardId)).size).toBe(3);
  });

  it("goes on where the leases say, and leaves a worker undisturbed", async () => {
    const rig = new Rig(2);
    rig.put(10);
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 10);
    await rig.close(worker);
    const later = rig.put(6);
    const before = new Map(rig.table.rows);
    const seen = await peek(rig);
    expect(texts(seen)).toEqual([...later].sort());
    expect(rig.table.rows).toEqual(before);
    for (const record of seen) record.ack();
    const next = await rig.start();
    await rig.until(() => next.records.length === 6);
    await rig.close(next);
  });

  it("shows the records of a shard before those of its children", async () => {
    const rig = new Rig();
    const early = rig.put(5);
    rig.stream.split(idOf(0), 2n ** 127n, rig.clock.now());
    const late = rig.put(5);
    const seen = await peek(rig);
    expect(texts(seen.slice(0, 5))).toEqual(early);
    expect(texts(seen.slice(5))).toEqual(late);
  });

  it("shows a child with a lease of its own after its parent too, and nothing of a finished shard", async () => {
    const rig = new Rig();
    const early = rig.put(4);
    rig.stream.split(idOf(0), 2n ** 127n, rig.clock.now());
    const late = rig.put(4);
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 8);
    await rig.pass(10_000);
    await rig.close(worker);
    expect(rig.table.rows.get(idOf(0))?.checkpoint.kind).toBe("shard-end");
    const later = rig.put(4);
    expect(texts(await peek(rig))).toEqual([...later].sort());

    // The table answers in no order: here the children come first.
    const rows = [...rig.table.rows.values()].reverse();
    rig.table.rows.clear();
    for (const row of rows) {
      rig.table.rows.set(row.shardId, { ...row, checkpoint: { kind: "trim-horizon" } });
    }
    const anew = await peek(rig);
    expect(texts(anew.slice(0, 4))).toEqual(early);
    expect(texts(anew.slice(4))).toEqual([...late, ...later].sort());
  });

  it("unpacks aggregates, or does not, as a worker is told to", async () => {
    const rig = new Rig();
    const data = ["a", "b", "c"].map((text) => ({ partitionKey: text, data: Buffer.from(text) }));
    rig.putBytes(aggregateOf(data), "packed");
    const seen = await peek(rig);
    expect(texts(seen)).toEqual(["a", "b", "c"]);
    expect(seen.map(({ partitionKey }) => partitionKey)).toEqual(["a", "b", "c"]);
    expect(await peek(rig, { count: 2 })).toHaveLength(2);
    expect(await peek(rig, { aggregates: { kind: "keep" } })).toHaveLength(1);
  });

  it("goes on inside an aggregate", async () => {
    const rig = new Rig();
    const data = ["a", "b", "c"].map((text) => ({ partitionKey: text, data: Buffer.from(text) }));
    rig.putBytes(aggregateOf(data), "packed");
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 3);
    await rig.close(worker);
    const [row] = rig.table.rows.values();
    if (row?.checkpoint.kind !== "after") return expect.unreachable("no position was stored");
    const checkpoint = { ...row.checkpoint, subSequenceNumber: 0 };
    rig.table.rows.set(row.shardId, { ...row, checkpoint });
    expect(texts(await peek(rig))).toEqual(["b", "c"]);
  });

  it("gives up on a shard that is answered in empty pages only", async () => {
    const rig = new Rig();
    rig.put(1);
    const { stream, table } = portsOf(rig);
    const page = { records: [], next: "on", millisBehindLatest: 5_000, children: [] };
    const empty = { ...bound(stream), getRecords: () => Promise.resolve(page) };
    const startMs = rig.clock.monotonic();
    expect(await peek(rig, {}, { stream: empty, table })).toEqual([]);
    expect(rig.clock.monotonic() - startMs).toBeLessThan(21_000);
  });

  it("has nothing to show of LATEST", async () => {
    const rig = new Rig();
    rig.put(5);
    await rig.pass(5_000);
    expect(await peek(rig, { initialPosition: { kind: "latest" } })).toEqual([]);
  });
});
