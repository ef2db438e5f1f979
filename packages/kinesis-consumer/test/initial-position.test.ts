import { describe, expect, it, vi } from "vitest";
import { distinct, idOf, Rig, textsOf } from "./support/rig.ts";

// Minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 30_000 });

describe("LATEST", () => {
  const latest = { initialPosition: { kind: "latest" } } as const;

  it("reads what is put after the start, and nothing that is older than 5 s before it", async () => {
    const rig = new Rig(2);
    rig.put(20);
    await rig.clock.advance(60_000);
    const worker = await rig.start(latest);
    const put = rig.put(20);
    await rig.until(() => worker.records.length === 20);
    expect(distinct(textsOf(worker.records))).toEqual(put);
    await rig.close(worker);
  });

  it("reads what is put while the table is being created, which takes AWS ten seconds", async () => {
    const rig = new Rig();
    await rig.clock.advance(60_000);
    const put: string[] = [];
    rig.table.ensure = async () => {
      await rig.clock.sleep(1_000, new AbortController().signal);
      put.push(...rig.put(3));
      await rig.clock.sleep(9_000, new AbortController().signal);
      rig.table.exists = true;
    };
    const worker = await rig.start(latest);
    await rig.until(() => worker.records.length === 3);
    expect(textsOf(worker.records)).toEqual(put);
    await rig.close(worker);
  });

  it("loses nothing when the worker dies before its first checkpoint", async () => {
    const rig = new Rig();
    rig.put(20);
    await rig.clock.advance(60_000);
    const first = await rig.start(latest, () => false);
    expect(rig.lease()?.checkpoint).toEqual({ kind: "latest" });
    const put = [...rig.put(3)];
    await rig.until(() => first.records.length === 3);
    first.kill();
    put.push(...rig.put(3));
    const second = await rig.start(latest);
    await rig.until(() => second.records.length === 6);
    expect(textsOf(second.records)).toEqual(put);
    await rig.pass(3_400);
    expect(rig.lease()).toMatchObject({ checkpoint: { kind: "after" }, startTimeMs: undefined });
    await rig.close(second);
  });

  it("gives a lease of a Java worker its start time before it is opened, and never asks Kinesis for LATEST", async () => {
    const rig = new Rig();
    const first = await rig.start(latest);
    await rig.close(first);
    const row = rig.lease();
    if (row === undefined) throw new Error("no lease");
    rig.table.rows.set(idOf(0), {
      ...row,
      startTimeMs: undefined,
      streamName: undefined,
      streamCreatedMs: undefined,
    });
    await rig.clock.advance(60_000);
    const nowMs = rig.clock.now();
    const second = await rig.start(latest);
    await rig.pass(100);
    const startMs = rig.lease()?.startTimeMs ?? 0;
    expect(nowMs - startMs).toBeGreaterThanOrEqual(4_000);
    expect(nowMs - startMs).toBeLessThan(7_000);
    expect(iteratorTypes(rig)).toEqual(new Set(["AT_TIMESTAMP"]));
    await rig.close(second);
  });
});

describe("AT_TIMESTAMP", () => {
  it("reads from the given time on", async () => {
    const rig = new Rig(2);
    rig.put(10);
    await rig.clock.advance(10_000);
    const epochMs = rig.clock.now();
    const put = rig.put(10);
    await rig.clock.advance(10_000);
    const worker = await rig.start({ initialPosition: { kind: "at-timestamp", epochMs } });
    await rig.until(() => worker.records.length === 10);
    expect(distinct(textsOf(worker.records))).toEqual(put);
    expect([...rig.table.rows.values()].every((lease) => lease.startTimeMs === undefined)).toBe(true);
    await rig.close(worker);
  });
});

describe("AT_TIMESTAMP of a time before all that there is", () => {
  it("reads everything of a stream that was created later", async () => {
    const rig = new Rig(2);
    const epochMs = rig.clock.now() - 3_600_000;
    const put = rig.put(10);
    const worker = await rig.start({ initialPosition: { kind: "at-timestamp", epochMs } });
    await rig.until(() => worker.records.length === 10);
    expect(distinct(textsOf(worker.records))).toEqual(put);
    expect([...rig.table.rows.values()].map(({ checkpoint }) => checkpoint.kind)).not.toContain(
      "trim-horizon",
    );
    await rig.close(worker);
  });

  it("reads what is left of a shard whose parent has expired, parents before children", async () => {
    const rig = new Rig(2);
    await rig.clock.advance(10_000);
    const epochMs = rig.clock.now();
    await rig.clock.advance(10_000);
    rig.stream.split(idOf(0), 2n ** 126n, rig.clock.now());
    await rig.clock.advance(24 * 3_600_000 + 60_000);
    const put = rig.put(10);
    expect(rig.stream.shards(rig.clock.now()).map(({ id }) => id)).not.toContain(idOf(0));
    const worker = await rig.start({ initialPosition: { kind: "at-timestamp", epochMs } });
    await rig.until(() => worker.records.length === 10);
    expect(distinct(textsOf(worker.records))).toEqual(put);
    await rig.close(worker);
  });

  it("reads of a later time no shard that was closed before", async () => {
    const rig = new Rig(2);
    rig.put(4);
    await rig.clock.advance(10_000);
    rig.stream.split(idOf(0), 2n ** 126n, rig.clock.now());
    await rig.clock.advance(10_000);
    const put = rig.put(10);
    const initialPosition = { kind: "at-timestamp", epochMs: rig.clock.now() - 5_000 } as const;
    const worker = await rig.start({ initialPosition });
    await rig.until(() => worker.records.length === 10);
    expect(distinct(textsOf(worker.records))).toEqual(put);
    expect([...rig.table.rows.keys()]).not.toContain(idOf(0));
    await rig.close(worker);
  });
});

describe("a stored checkpoint", () => {
  it("is opened at its own sequence number, and the record it covers is not handed out again", async () => {
    const rig = new Rig();
    rig.put(5);
    const first = await rig.start();
    await rig.until(() => first.records.length === 5);
    await rig.close(first);
    const callsBefore = rig.service.lastCalls("GetShardIterator").length;
    rig.put(1);
    const second = await rig.start();
    await rig.until(() => second.records.length === 1);
    expect(textsOf(second.records)).toEqual(["5"]);
    const [opening] = rig.service.lastCalls("GetShardIterator").slice(callsBefore);
    expect(opening?.body).toMatchObject({
      ShardIteratorType: "AT_SEQUENCE_NUMBER",
      StartingSequenceNumber: first.records.at(-1)?.sequenceNumber,
    });
    await rig.close(second);
  });

  it("is opened at its own sequence number again until a record was accepted, then after that record", async () => {
    const rig = new Rig();
    rig.put(5);
    const first = await rig.start();
    await rig.until(() => first.records.length === 5);
    await rig.close(first);
    const stored = first.records.at(-1)?.sequenceNumber;
    const callsBefore = rig.service.lastCalls("GetShardIterator").length;
    const second = await rig.start();
    await rig.pass(500);
    rig.service.faults.refuse("GetRecords", "ExpiredIteratorException", { count: 2 });
    await rig.pass(5_000);
    rig.put(1);
    await rig.until(() => second.records.length === 1);
    rig.service.faults.refuse("GetRecords", "ExpiredIteratorException");
    await rig.pass(3_000);
    const openings = rig.service
      .lastCalls("GetShardIterator")
      .slice(callsBefore)
      .map((call) => call.body);
    const accepted = second.records[0]?.sequenceNumber;
    expect(openings).toMatchObject([
      { ShardIteratorType: "AT_SEQUENCE_NUMBER", StartingSequenceNumber: stored },
      { ShardIteratorType: "AT_SEQUENCE_NUMBER", StartingSequenceNumber: stored },
      { ShardIteratorType: "AT_SEQUENCE_NUMBER", StartingSequenceNumber: stored },
      { ShardIteratorType: "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber: accepted },
    ]);
    expect(textsOf(second.records)).toEqual(["5"]);
    await rig.close(second);
  });
});

function iteratorTypes(rig: Rig): ReadonlySet<unknown> {
  return new Set(
    rig.service
      .lastCalls("GetShardIterator")
      .map(({ body }) => (body as { ShardIteratorType: string }).ShardIteratorType), // our own requests
  );
}
